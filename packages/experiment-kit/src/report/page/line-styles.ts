import { interpolateViridis } from "d3-scale-chromatic";
import { svg } from "./elements.ts";
import { ON_DARK, ON_LIGHT } from "./palette.ts";

/** How a curve is drawn: a color for light and one for dark pages, and what tells it from its like. */
export interface LineStyle {
  readonly onLight: string;
  readonly onDark: string;
  readonly dashes: string;
  readonly opacity: number;
}

const DASHES = ["", "7 3", "2 3", "9 3 2 3"];

export interface CurvePlace {
  /** Of the metric in its chart. */
  readonly series: number;
  readonly run: number;
}

/**
 * The styles of a chart's curves. Of one run, every metric has its color: few different ones from the
 * categorical palette, many or numbered ones from viridis. Of several runs, every run has its color, and
 * its metrics differ in dashes or, if numbered, in strength; or the other way round.
 */
export function lineStyles(
  names: readonly string[],
  runs: number,
  colorBy: "run" | "metric",
): (place: CurvePlace) => LineStyle {
  const isOrdered = names.length > ON_LIGHT.length || (names.length > 2 && isNumbered(names));
  const ofMetric = isOrdered ? sequence(names.length) : category;
  if (runs <= 1) return ({ series }) => ({ ...ofMetric(series), dashes: "", opacity: 1 });
  if (colorBy === "metric")
    return ({ series, run }) => ({
      ...ofMetric(series),
      dashes: dashesOf(run),
      opacity: 1,
    });
  return ({ series, run }) => ({
    ...runColor(run),
    dashes: dashesOf(names.length === 1 || isOrdered ? Math.floor(run / ON_LIGHT.length) : series),
    opacity: isOrdered ? 1 - (0.6 * series) / Math.max(1, names.length - 1) : 1,
  });
}

function dashesOf(index: number): string {
  return DASHES[index % DASHES.length]!;
}

type Colors = Pick<LineStyle, "onLight" | "onDark">;

/** The color of a run, wherever it is named. */
export function runColor(run: number): Colors {
  return category(run);
}

function category(index: number): Colors {
  return { onLight: ON_LIGHT[index % ON_LIGHT.length]!, onDark: ON_DARK[index % ON_DARK.length]! };
}

/** The strongest contrast first: on light pages from dark violet, on dark ones from bright yellow. */
function sequence(length: number): (index: number) => Colors {
  return (index) => {
    const t = index / Math.max(1, length - 1);
    return { onLight: interpolateViridis(0.75 * t), onDark: interpolateViridis(0.95 - 0.6 * t) };
  };
}

/** Whether the names differ only in a number. */
export function isNumbered(names: readonly string[]): boolean {
  return new Set(names.map((name) => name.split(/\d+/).join("#"))).size === 1;
}

/** Sets the color through properties that the style sheet chooses from (light, dark, print). */
export function applyColors(element: SVGElement | HTMLElement, { onLight, onDark }: Colors): void {
  element.classList.add("colored");
  element.style.setProperty("--on-light", onLight);
  element.style.setProperty("--on-dark", onDark);
}

/** A short piece of line for a legend. */
export function lineSample(style: LineStyle): SVGSVGElement {
  const sample = svg(
    "svg",
    { class: "sample", viewBox: "0 0 22 8", width: 22, height: 8, "aria-hidden": "true" },
    svg("line", {
      x1: 1,
      x2: 21,
      y1: 4,
      y2: 4,
      "stroke-dasharray": style.dashes || undefined,
      "stroke-opacity": style.opacity,
    }),
  );
  applyColors(sample, style);
  return sample;
}

/** A, B, …, Z, A2, B2, … */
export function runLetter(number: number): string {
  const round = Math.floor(number / 26);
  return String.fromCharCode(65 + (number % 26)) + (round === 0 ? "" : String(round + 1));
}
