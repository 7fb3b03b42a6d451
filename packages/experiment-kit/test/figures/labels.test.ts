import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseMathText, plainText } from "../../src/figures/math-text.ts";
import type { TextPart } from "../../src/figures/math-text.ts";
import { richText } from "../../src/figures/rich-text.ts";

/** Slanted runs in slashes, bold in stars, other alphabets in bars; scripts in ^() and _(). */
function notation(parts: readonly TextPart[]): string {
  return parts
    .map((part) => {
      if (!("text" in part)) return `[${notation(part.lower)}${notation(part.upper)}]`;
      const mark = { upright: "", slanted: "/", bold: "*", math: "|" }[part.style];
      const text = mark + part.text + mark;
      return part.rise === 0 ? text : `${part.rise > 0 ? "^" : "_"}(${text})`;
    })
    .join("");
}

describe("labels", () => {
  it.each([
    ["component norms", "component norms"],
    ["node $\\{ 1, 2 \\}$", "node {1,\u20092}"],
    ["$\\sigma_1$", "/σ/_(1)"],
    ["$\\sigma_{10}^2 \\leq W$", "/σ/[_(10)^(2)]\u2005≤\u2005/W/"],
    ["$x^2_i$", "/x/[_(/i/)^(2)]"],
    ["$\\mathcal{W} \\in \\mathbb{R}^{d}$", "|𝒲|\u2005∈\u2005|ℝ|^(/d/)"],
    ["$\\|\\mathbf{w}\\| - 1$", "‖*w*‖\u2009−\u20091"],
    ["$-1$", "−1"],
    ["$10^{-3}$", "10^(−3)"],
    ["$\\log t$, $2 \\log t$", "log/t/, 2\u2009log/t/"],
    ["$\\text{rank } r$", "rank\u00a0/r/"],
    ["costs $5", "costs $5"],
    ["\\$5 and $a$", "$5 and /a/"],
    ["$\\Gamma\\alpha'$", "Γ/α/′"],
  ])("%s is set as %s", (label, expected) => {
    expect(notation(parseMathText(label))).toBe(expected);
  });

  it.each([
    ["$\\constructor$", "has \\constructor, which is not known"],
    ["$\\foo$", "has \\foo, which is not known"],
    ["${a$", "has a { without its }"],
    ["$a}$", "has a } without its {"],
    ["$a^$", "ends where something must follow"],
    ["$a^2^3$", "has two superscripts at one place"],
    ["$\\mathcal{w}$", "has \\mathcal with something other than capitals A to Z"],
    ["$a\\$", "costs"],
  ])("%s is refused or plain", (label, problem) => {
    if (problem === "costs") expect(plainText(label)).toBe("$a$");
    else expect(() => parseMathText(label)).toThrow(problem);
  });

  it("are kept as they are without dollar signs", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        fc.pre(!text.includes("$"));
        expect(plainText(text)).toBe(text);
      }),
    );
  });

  it("have the width that the renderer gives them", () => {
    const width = (label: string, size = 10) => richText(label, size).width;
    // Digits of DejaVu Sans are 1303 of 2048 units wide.
    expect(width("0123456789")).toBeCloseTo((10 * 10 * 1303) / 2048, 1);
    expect(width("a b")).toBeCloseTo(width("a") + width("b") + (651 / 2048) * 10, 1);
    expect(width("$x_1^{23}$")).toBeCloseTo(width("$x_{23}$"), 1);
    expect(width("norm", 20)).toBeCloseTo(2 * width("norm"), 1);
    expect(width("")).toBe(0);
  });

  it("take room above and below for scripts", () => {
    const plain = richText("x", 10);
    expect(richText("$x^2$", 10).ascent).toBeGreaterThan(plain.ascent);
    expect(richText("$x_2$", 10).descent).toBeGreaterThan(plain.descent);
  });
});
