import { arrow, colors, element, picture, text } from "./svg.ts";

/** How the regularizer asks whether a network relates two patches. */
export function swappedPatch(): string {
  return picture(
    { width: 540, height: 430 },
    {
      title: "The swap of a patch",
      description:
        "A sample x, and x′ which is the same with patch B of another sample. The gradients of the logit in patch A are compared: if they point the same way, the network does not relate A to B.",
    },
    ...sample(24, "x: a sample", "4", "4", "gradient of the logit in A: u", -35),
    ...sample(164, "x′: with patch B of the next sample", "4", "9", "the same for x′: u′", -35),
    ...verdict(30, "A and B are not related", "u and u′ agree: R = |⟨u, u′⟩| = 1", -35, -35),
    ...verdict(290, "A and B are related", "u and u′ differ: R < 1", -35, 25),
  );
}

function sample(
  top: number,
  caption: string,
  a: string,
  b: string,
  gradient: string,
  angle: number,
): string[] {
  return [
    text(30, top + 10, caption, { "font-weight": 600 }),
    element("rect", { x: 30, y: top + 22, width: 250, height: 82, fill: colors.faint, rx: 4 }),
    ...patch(44, top + 33, "A", a, colors.blue),
    ...patch(206, top + 33, "B", b, colors.orange),
    text(300, top + 50, gradient, { "font-size": 13.5 }),
    vector(330, top + 104, angle, colors.blue),
  ];
}

function patch(x: number, y: number, name: string, digit: string, color: string): string[] {
  return [
    element("rect", {
      x,
      y,
      width: 60,
      height: 60,
      fill: colors.card,
      stroke: color,
      "stroke-width": 2.5,
    }),
    text(x + 30, y + 46, digit, { "font-size": 44, "text-anchor": "middle" }),
    text(x + (name === "A" ? 72 : -12), y + 36, name, {
      "font-weight": 600,
      fill: color,
      "text-anchor": "middle",
    }),
  ];
}

function vector(x: number, y: number, angle: number, color: string): string {
  const radians = (angle * Math.PI) / 180;
  return arrow([x, y], [x + 52 * Math.cos(radians), y + 52 * Math.sin(radians)], color);
}

function verdict(
  x: number,
  caption: string,
  rule: string,
  first: number,
  second: number,
): string[] {
  const y = 316;
  const apart = first === second ? 12 : 0;
  return [
    text(x, y, caption, { "font-weight": 600 }),
    text(x, y + 22, rule, { "font-size": 13.5 }),
    vector(x + 60, y + 84, first, colors.blue),
    vector(x + 60 + apart, y + 84 + apart, second, colors.orange),
  ];
}
