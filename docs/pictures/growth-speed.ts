import { axes } from "./axes.ts";
import { colors, curve, picture, text } from "./svg.ts";

const depths = [
  { depth: 1, color: colors.muted, label: "L = 1: always 1", x: 200, y: 35 },
  { depth: 2, color: colors.blue, label: "L = 2: σ", x: 200, y: 120 },
  { depth: 3, color: colors.orange, label: "L = 3: σ^(4/3)", x: 300, y: 172 },
];

/** The factor σ^(2 - 2/L) by which a singular value's own size speeds up its growth. */
export function growthSpeed(): string {
  const { x, y, drawn } = axes({
    left: 60,
    top: 24,
    width: 440,
    height: 200,
    xMax: 1,
    yMax: 1.1,
    xTicks: [0, 0.5, 1],
    yTicks: [0, 1],
  });
  const steps = Array.from({ length: 101 }, (_, i) => i / 100);
  const curves = depths.map(({ depth, color }) =>
    curve(
      steps.map((sigma) => [x(sigma), y(speed(sigma, depth))]),
      { stroke: color, "stroke-width": 2.5 },
    ),
  );
  return picture(
    { width: 540, height: 280 },
    {
      title: "Speed of growth of a singular value, by its size",
      description:
        "For one matrix the speed does not depend on the size; for two it is proportional to it; for three it lies still closer to zero where the value is small.",
    },
    drawn,
    ...curves,
    ...depths.map((depth) =>
      text(depth.x, depth.y, depth.label, { fill: depth.color, "font-weight": 600 }),
    ),
    text(280, 266, "size σ of the singular value", { "font-size": 13, "text-anchor": "middle" }),
    text(18, 124, "speed factor", {
      "font-size": 13,
      "text-anchor": "middle",
      transform: "rotate(-90 18 124)",
    }),
  );
}

function speed(sigma: number, depth: number): number {
  return sigma ** (2 - 2 / depth);
}
