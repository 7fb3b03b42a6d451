import * as d3 from "d3";
import { CATEGORICAL } from "../plots/palette.ts";

/** matplotlib's `summer`: green to yellow. */
function summer(t: number): string {
  return d3.rgb(255 * t, 255 * (0.5 + 0.5 * t), 255 * 0.4).formatHex();
}

/** Color maps from 0…1. All but `summer` are even to the eye; `viridis` and `cividis` are made for color-blind readers. */
const colorMaps: Readonly<Record<string, (t: number) => string>> = {
  summer,
  viridis: d3.interpolateViridis,
  cividis: d3.interpolateCividis,
  plasma: d3.interpolatePlasma,
  inferno: d3.interpolateInferno,
  magma: d3.interpolateMagma,
};

/** Okabe and Ito's palette, cycled. */
const COLORBLIND = "colorblind";

/** What `colors` may be as a text. */
export const colorMapNames: readonly string[] = [...Object.keys(colorMaps), COLORBLIND];

/** The colors of curves whose `colors` is null. */
const DEFAULT_CYCLE = ["chocolate", "#008000", "#1f77b4", "firebrick", "#d62728"];

const TABLEAU = new Map(
  Object.entries({
    blue: "#1f77b4",
    orange: "#ff7f0e",
    green: "#2ca02c",
    red: "#d62728",
    purple: "#9467bd",
    brown: "#8c564b",
    pink: "#e377c2",
    gray: "#7f7f7f",
    olive: "#bcbd22",
    cyan: "#17becf",
  }),
);
const LETTERS = new Map(
  Object.entries({
    b: "#0000ff",
    g: "#008000",
    r: "#ff0000",
    c: "#00bfbf",
    m: "#bf00bf",
    y: "#bfbf00",
    k: "#000000",
    w: "#ffffff",
  }),
);

/**
 * A single color as SVG takes it: the names of CSS, `#rgb`, `#rrggbb`, and matplotlib's `tab:blue`, `C0`,
 * `k` and gray levels such as `0.5`. Undefined if it is none of these.
 */
export function parseColor(text: string): string | undefined {
  const name = text.trim();
  const cycled = /^C(\d+)$/.exec(name)?.[1];
  if (cycled !== undefined) return [...TABLEAU.values()][Number(cycled) % 10];
  if (/^(0?\.\d+|[01](\.0*)?)$/.test(name)) {
    const level = 255 * Number(name);
    return d3.rgb(level, level, level).formatHex();
  }
  const known =
    LETTERS.get(name) ??
    (name.startsWith("tab:") ? TABLEAU.get(name.slice(4).replace("grey", "gray")) : undefined);
  return known ?? d3.color(name)?.formatHex();
}

/**
 * The color of the j-th curve (from 0) of a source. In a color map its place is j/8 up to the fifth, then
 * 0.5 + (j − 4)/20: the first few, which matter, are told apart best.
 */
export function curveColor(colors: string | readonly string[] | null, j: number): string {
  if (colors === COLORBLIND) return CATEGORICAL[j % CATEGORICAL.length]!;
  if (typeof colors === "string") {
    const place = j < 5 ? j / 8 : 0.5 + (j - 4) / 20;
    return d3.color(colorMaps[colors]!(Math.min(1, place)))!.formatHex();
  }
  const cycle = colors ?? DEFAULT_CYCLE;
  return parseColor(cycle[j % cycle.length]!)!;
}
