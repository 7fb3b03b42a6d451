import type { Group, Scale } from "./d3-types.ts";
import { simplifyLine } from "./simplify-line.ts";
import type { Polyline } from "./simplify-line.ts";

/** What is drawn of a curve; NaN in `y` leaves a gap. */
export interface CurvePoints {
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** A curve in the group's stroke, broken where values are missing; a value between two gaps becomes a dot. */
export function drawCurve(
  curve: Group,
  points: CurvePoints,
  x: Scale,
  y: Scale,
  dotRadius = 2.5,
): void {
  for (const run of unbrokenRuns(points, x, y)) {
    if (run.x.length > 1) {
      curve.append("path").attr("d", `M${linePath(simplifyLine(run))}`);
      continue;
    }
    curve
      .append("circle")
      .attr("cx", roundPixels(run.x[0]!))
      .attr("cy", roundPixels(run.y[0]!))
      .attr("r", dotRadius)
      .attr("fill", curve.attr("stroke"));
  }
}

/** The stretches of a curve without missing values (on a log axis: without those that it cannot show). */
export function unbrokenRuns(points: CurvePoints, x: Scale, y: Scale): readonly Polyline[] {
  const runs: { x: number[]; y: number[] }[] = [];
  let run: { x: number[]; y: number[] } | undefined;
  for (let i = 0; i < points.x.length; i++) {
    const px = x(points.x[i]!);
    const py = y(points.y[i]!);
    if (!Number.isFinite(px) || !Number.isFinite(py)) {
      run = undefined;
      continue;
    }
    if (run === undefined) {
      run = { x: [], y: [] };
      runs.push(run);
    }
    run.x.push(px);
    run.y.push(py);
  }
  return runs;
}

/** The points of a line as the data of an SVG path, without its first command. */
export function linePath({ x, y }: Polyline): string {
  return x.map((px, i) => `${roundPixels(px)},${roundPixels(y[i]!)}`).join("L");
}

export function roundPixels(pixels: number): number {
  return Math.round(pixels * 100) / 100;
}
