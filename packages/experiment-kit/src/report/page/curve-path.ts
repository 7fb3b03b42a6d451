import { simplifyLine } from "../../plots/simplify-line.ts";
import { firstAtLeast } from "./chart-scales.ts";
import type { Axis } from "./chart-scales.ts";
import type { Series } from "./model.ts";

/**
 * The SVG path of a curve: what lies between the epochs shown, in pixels, with as few points as look the
 * same. Values that cannot be drawn (NaN, on a log axis also those that are not positive) leave a gap; a
 * value between two gaps is a dot.
 */
export function curvePath({ epochs, values }: Series, x: Axis, y: Axis): string {
  const first = Math.max(0, firstAtLeast(epochs, x.domain[0]) - 1);
  const end = Math.min(epochs.length, firstAtLeast(epochs, x.domain[1]) + 1);
  const parts: string[] = [];
  let xs: number[] = [];
  let ys: number[] = [];
  const finishStretch = (): void => {
    if (xs.length > 0) parts.push(stretchPath(xs, ys));
    xs = [];
    ys = [];
  };
  for (let i = first; i < end; i++) {
    const epoch = epochs[i]!;
    const value = values[i]!;
    const isDrawn =
      Number.isFinite(value) &&
      (y.kind === "linear" || value > 0) &&
      (x.kind === "linear" || epoch > 0);
    if (isDrawn) {
      xs.push(x.pixel(epoch));
      ys.push(y.pixel(value));
    } else finishStretch();
  }
  finishStretch();
  return parts.join("");
}

function stretchPath(xs: readonly number[], ys: readonly number[]): string {
  const line = simplifyLine({ x: xs, y: ys });
  const points = line.x.map((x, i) => `${round(x)},${round(line.y[i]!)}`);
  return points.length === 1 ? `M${points[0]!}h.01` : `M${points.join("L")}`;
}

function round(pixel: number): number {
  return Math.round(pixel * 10) / 10;
}
