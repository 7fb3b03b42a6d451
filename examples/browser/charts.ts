import * as Plot from "@observablehq/plot";
import type { Curves } from "./training-run.ts";

export interface ChartOptions {
  readonly width: number;
  readonly logarithmic: boolean;
}

/** Readable on a white and on a dark page; the first two are also in page.css. */
const palette = [
  "#4269d0",
  "#d97706",
  "#0f9d8f",
  "#d6409f",
  "#3ca951",
  "#8b5cf6",
  "#e5484d",
  "#0ea5e9",
];

interface Point {
  readonly iteration: number;
  readonly value: number;
  /** Points with the same name are one curve. */
  readonly curve: string;
}

const frame = (
  { width, logarithmic }: ChartOptions,
  label: string,
  lastIteration: number,
  [smallest, largest]: readonly [number, number],
): Plot.PlotOptions => ({
  width,
  height: Math.min(320, Math.max(230, width / 2)),
  marginLeft: 56,
  marginBottom: 44,
  style: { background: "transparent", fontSize: "12px", overflow: "visible" },
  x: {
    label: "iteration",
    labelOffset: 40,
    domain: [0, Math.max(100, lastIteration)],
    ticks: Math.max(2, width / 110),
    tickFormat: (iteration: number) => iteration.toLocaleString("en"),
  },
  y: logarithmic
    ? {
        label,
        type: "log",
        domain: [smallest, largest],
        grid: true,
        ticks: powers(smallest, largest),
        tickFormat: "~g",
      }
    : { label, domain: [0, largest], grid: true },
  color: { type: "identity" },
});

/** At most six powers of ten: the ticks of a logarithmic axis. */
function powers(smallest: number, largest: number): number[] {
  const [first, last] = [Math.ceil(Math.log10(smallest)), Math.floor(Math.log10(largest))];
  const stride = Math.ceil((last - first + 1) / 6);
  const count = Math.floor((last - first) / stride) + 1;
  return Array.from({ length: count }, (_, k) => 10 ** (last - k * stride));
}

const lines = (points: readonly Point[], options: Plot.LineYOptions): Plot.Line =>
  Plot.lineY(points, { x: "iteration", y: "value", z: "curve", strokeWidth: 2, ...options });

/** The smallest number above zero and the largest; zero has no place on a logarithmic axis. */
function rangeOf(points: readonly Point[], atLeast: readonly number[]): [number, number] {
  let [smallest, largest] = [Math.min(...atLeast), Math.max(...atLeast)];
  for (const { value } of points) {
    if (value > 0) smallest = Math.min(smallest, value);
    if (value > largest) largest = value;
  }
  return [smallest, largest];
}

/**
 * The largest component norms over the iterations: in color those that have risen, that is passed `threshold`;
 * dashed the norms of the target's components.
 */
export function drawNorms(
  { iterations, norms }: Curves,
  targetNorms: readonly number[],
  threshold: number,
  options: ChartOptions,
): Element {
  const components = (norms.at(-1) ?? []).map((last, component) => ({
    risen: last > threshold,
    points: norms.map((atOnce, row) => ({
      iteration: iterations[row]!,
      value: atOnce[component]!,
      curve: `component ${component + 1}`,
    })),
  }));
  const pointsOf = (risen: boolean): Point[] =>
    components.filter((component) => component.risen === risen).flatMap(({ points }) => points);
  const largest = 1.05 * Math.max(1, ...targetNorms);
  const range = rangeOf([...pointsOf(true), ...pointsOf(false)], [largest, largest / 1000]);
  return Plot.plot({
    ...frame(options, "norm of a component", iterations.at(-1) ?? 0, range),
    marks: [
      Plot.ruleY(targetNorms, { strokeDasharray: "4 4", strokeOpacity: 0.7 }),
      lines(pointsOf(false), { strokeOpacity: 0.4, ariaDescription: "components at rest" }),
      lines(pointsOf(true), {
        stroke: ({ curve }: Point) => palette[(Number(curve.split(" ")[1]) - 1) % palette.length]!,
        ariaDescription: "components that have risen",
      }),
    ],
  });
}

/** The mean squared errors at observed and at unseen entries over the iterations. */
export function drawLosses(
  { iterations, observedLoss, unseenLoss }: Curves,
  options: ChartOptions,
): Element {
  const pointsOf = (curve: string, losses: readonly number[]): Point[] =>
    losses.map((value, row) => ({ iteration: iterations[row]!, value, curve }));
  const observed = pointsOf("observed", observedLoss);
  const unseen = pointsOf("unseen", unseenLoss);
  return Plot.plot({
    ...frame(
      options,
      "mean squared error",
      iterations.at(-1) ?? 0,
      rangeOf([...observed, ...unseen], [1.5, 0.01]),
    ),
    marks: [
      lines(observed, { stroke: palette[0]!, ariaDescription: "observed entries" }),
      lines(unseen, { stroke: palette[1]!, ariaDescription: "unseen entries" }),
    ],
  });
}
