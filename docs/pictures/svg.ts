/** What the pictures are drawn with: elements as text, on a card that is light in light and in dark pages. */

export type Attributes = Readonly<Record<string, string | number>>;

/** Okabe and Ito's colors, as in the figures of runs, by what they stand for here. */
export const colors = {
  ink: "#1f2328",
  muted: "#59636e",
  line: "#8c959f",
  faint: "#d8dde3",
  card: "#ffffff",
  blue: "#0072B2",
  orange: "#D55E00",
  green: "#009E73",
  pink: "#CC79A7",
  sky: "#56B4E9",
} as const;

export function element(name: string, attributes: Attributes, ...children: string[]): string {
  const written = Object.entries(attributes)
    .map(
      ([key, value]) => ` ${key}="${typeof value === "number" ? rounded(value) : escape(value)}"`,
    )
    .join("");
  return children.length === 0
    ? `<${name}${written}/>`
    : `<${name}${written}>${children.join("")}</${name}>`;
}

/** Two decimals are less than a pixel, and the same on every machine. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100 + 0;
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return element("text", { x, y, ...attributes }, escape(content));
}

export function line(
  from: readonly [number, number],
  to: readonly [number, number],
  attributes: Attributes = {},
): string {
  const [x1, y1] = from;
  const [x2, y2] = to;
  return element("line", {
    x1,
    y1,
    x2,
    y2,
    stroke: colors.line,
    "stroke-width": 1.5,
    ...attributes,
  });
}

/** A curve through points. */
export function curve(
  points: readonly (readonly [number, number])[],
  attributes: Attributes,
): string {
  const d = points.map(([x, y], i) => `${i === 0 ? "M" : "L"}${rounded(x)} ${rounded(y)}`).join("");
  return element("path", { d, fill: "none", "stroke-width": 2, ...attributes });
}

/** A line that ends in an arrow head. */
export function arrow(
  from: readonly [number, number],
  to: readonly [number, number],
  color: string = colors.muted,
): string {
  const angle = (Math.atan2(to[1] - from[1], to[0] - from[0]) * 180) / Math.PI;
  const head = element("path", {
    d: "M0 0L-9 -4.5L-9 4.5Z",
    fill: color,
    transform: `translate(${rounded(to[0])} ${rounded(to[1])}) rotate(${rounded(angle)})`,
  });
  return line(from, to, { stroke: color }) + head;
}

/** A whole picture, with its words for those who cannot see it. */
export function picture(
  size: { readonly width: number; readonly height: number },
  words: { readonly title: string; readonly description: string },
  ...body: readonly string[]
): string {
  const { width, height } = size;
  const svg = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      viewBox: `0 0 ${width} ${height}`,
      width,
      height,
      role: "img",
      "font-family": "system-ui, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif",
      "font-size": 15,
      fill: colors.ink,
    },
    `\n${element("title", {}, escape(words.title))}\n`,
    `${element("desc", {}, escape(words.description))}\n`,
    `${element("rect", { width, height, rx: 10, fill: colors.card })}\n`,
    ...body.map((part) => `${part}\n`),
  );
  return `${svg}\n`;
}

function escape(content: string): string {
  return content.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
