import { colors, element, line, picture, text } from "./svg.ts";

/** The three ways to write a tensor as a product, as diagrams: a box is a matrix, a line an index. */
export function factorizations(): string {
  return picture(
    { width: 540, height: 660 },
    {
      title: "Three factorizations",
      description:
        "Deep matrix factorization is a chain of matrices. CP joins one matrix of each mode at one sum over r. The hierarchical factorization joins the matrices of two modes, and what comes out of two such joints again.",
    },
    heading(28, "Deep matrix factorization", "W = W₁ W₂ W₃: a chain"),
    ...chain(96),
    heading(180, "CP factorization", "order 4: all modes meet in one sum over r"),
    ...star(286),
    heading(
      384,
      "Hierarchical Tucker factorization",
      "order 4: modes meet step by step, along a tree",
    ),
    ...tree(450),
  );
}

function heading(y: number, title: string, explanation: string): string {
  return (
    text(20, y, title, { "font-weight": 600 }) +
    text(20, y + 20, explanation, { "font-size": 13.5, fill: colors.muted })
  );
}

function box(x: number, y: number, label: string, color: string = colors.blue): string {
  const width = 58;
  return (
    element("rect", {
      x: x - width / 2,
      y: y - 18,
      width,
      height: 36,
      rx: 6,
      fill: colors.card,
      stroke: color,
      "stroke-width": 2.5,
    }) + text(x, y + 5, label, { "text-anchor": "middle" })
  );
}

/** A sum or product where indices meet. */
function joint(x: number, y: number, label: string): string {
  return (
    element("circle", {
      cx: x,
      cy: y,
      r: 14,
      fill: colors.card,
      stroke: colors.orange,
      "stroke-width": 2.5,
    }) + text(x, y + 5, label, { "text-anchor": "middle" })
  );
}

function index(x: number, y: number, label: string): string {
  return text(x, y, label, { "font-style": "italic", "text-anchor": "middle", fill: colors.muted });
}

function chain(y: number): string[] {
  const places = [150, 270, 390];
  return [
    line([70, y], [470, y]),
    ...places.map((x, i) => box(x, y, `W${"₁₂₃"[i]!}`)),
    index(56, y + 5, "i"),
    index(484, y + 5, "j"),
  ];
}

function star(y: number): string[] {
  const modes = [90, 210, 330, 450];
  const center = [270, y - 56] as const;
  return [
    ...modes.flatMap((x, n) => [
      line(center, [x, y]),
      line([x, y], [x, y + 38]),
      box(x, y, `F${"₁₂₃₄"[n]!}`),
      index(x, y + 54, `i${"₁₂₃₄"[n]!}`),
    ]),
    joint(...center, "r"),
  ];
}

function tree(top: number): string[] {
  const leaves = [90, 210, 330, 450];
  const pairs = [150, 390];
  const [rootY, upperY, jointY, leafY] = [top - 4, top + 52, top + 104, top + 152];
  return [
    ...pairs.flatMap((x, g) => [
      line([270, rootY], [x, upperY]),
      line([x, upperY], [x, jointY]),
      box(x, upperY, `W₁,${"₀₁"[g]!}`, colors.green),
    ]),
    joint(270, rootY, "r"),
    ...leaves.flatMap((x, n) => [
      line([pairs[Math.floor(n / 2)]!, jointY], [x, leafY]),
      line([x, leafY], [x, leafY + 32]),
      box(x, leafY, `W₀,${"₀₁₂₃"[n]!}`),
      index(x, leafY + 48, `i${"₁₂₃₄"[n]!}`),
    ]),
    ...pairs.map((x) => joint(x, jointY, "q")),
  ];
}
