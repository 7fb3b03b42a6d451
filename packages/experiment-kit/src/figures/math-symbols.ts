const greek =
  "alpha α beta β gamma γ delta δ epsilon ϵ varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι " +
  "kappa κ lambda λ mu μ nu ν xi ξ pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ " +
  "phi ϕ varphi φ chi χ psi ψ omega ω";
const upright =
  "Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω " +
  "infty ∞ partial ∂ nabla ∇ ell ℓ hbar ℏ forall ∀ exists ∃ emptyset ∅ prime ′ " +
  "sum ∑ prod ∏ int ∫ top ⊤ bot ⊥ ldots … dots … cdots ⋯ dagger † ddagger ‡ degree ° " +
  "| ‖ Vert ‖ vert | langle ⟨ rangle ⟩ lceil ⌈ rceil ⌉ lfloor ⌊ rfloor ⌋";
const binary =
  "cdot · times × div ÷ pm ± mp ∓ circ ∘ otimes ⊗ oplus ⊕ ast ∗ star ⋆ cup ∪ cap ∩ setminus ∖";
const relations =
  "leq ≤ le ≤ geq ≥ ge ≥ neq ≠ ne ≠ approx ≈ sim ∼ simeq ≃ equiv ≡ ll ≪ gg ≫ in ∈ notin ∉ " +
  "subset ⊂ subseteq ⊆ to → rightarrow → leftarrow ← leftrightarrow ↔ Rightarrow ⇒ mapsto ↦ mid ∣ parallel ∥";
const spaces = ", \u2009 : \u2005 ; \u2004 quad \u2003";

function table(text: string): ReadonlyMap<string, string> {
  const words = text.split(" ");
  return new Map(words.flatMap((name, i) => (i % 2 === 0 ? [[name, words[i + 1]!] as const] : [])));
}

/** Commands by the way in which they are set. */
export const symbols = {
  slanted: table(greek),
  upright: table(upright),
  binary: table(binary),
  relation: table(relations),
  space: table(spaces),
} as const;

export const binarySigns: ReadonlySet<string> = new Set([
  "+",
  "-",
  "*",
  ...symbols.binary.values(),
]);
export const relationSigns: ReadonlySet<string> = new Set([
  "=",
  "<",
  ">",
  ":",
  ...symbols.relation.values(),
]);

/** Names that are set upright. */
export const functionNames: ReadonlySet<string> = new Set(
  "log ln exp min max argmin argmax sup inf lim sin cos tan tanh rank dim det deg tr".split(" "),
);

/** Letters of other alphabets; some of them are older than the block that has the rest. */
const doubleStruck: Readonly<Record<string, string>> = {
  C: "ℂ",
  H: "ℍ",
  N: "ℕ",
  P: "ℙ",
  Q: "ℚ",
  R: "ℝ",
  Z: "ℤ",
};
const script: Readonly<Record<string, string>> = {
  B: "ℬ",
  E: "ℰ",
  F: "ℱ",
  H: "ℋ",
  I: "ℐ",
  L: "ℒ",
  M: "ℳ",
  R: "ℛ",
};

/** A capital of `\\mathbb` or `\\mathcal`; undefined for other characters. */
export function otherAlphabet(name: "mathbb" | "mathcal", letter: string): string | undefined {
  if (!/^[A-Z]$/.test(letter)) return undefined;
  const [older, first] = name === "mathbb" ? [doubleStruck, 0x1d538] : [script, 0x1d49c];
  return older[letter] ?? String.fromCodePoint(first + letter.charCodeAt(0) - "A".charCodeAt(0));
}
