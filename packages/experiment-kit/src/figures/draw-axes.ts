import type { Group, Scale } from "../plots/d3-types.ts";
import { roundPixels } from "../plots/draw-curve.ts";
import { TICK_LENGTH, TICK_PAD, tickHeight } from "./figure-layout.ts";
import type { AxisTicks } from "./panel-axes.ts";
import { appendText } from "./rich-text.ts";

/** Of the line around the axes. */
export const FRAME_WIDTH = 0.8;

export function groupAt(parent: Group, x: number, y: number): Group {
  return parent
    .append("g")
    .attr("transform", `translate(${roundPixels(x)},${roundPixels(y)})`) as unknown as Group;
}

export interface AxesScales {
  readonly x: Scale;
  readonly y: Scale;
  /** Of the axes. */
  readonly height: number;
  /** Of the ticks' texts. */
  readonly fontSize: number;
  /** By which the texts at x are turned, counterclockwise; they end at their ticks then. */
  readonly xAngle?: number;
}

/** Ticks outside the frame and their texts. */
export function drawTicks(
  group: Group,
  ticks: { readonly x: AxisTicks; readonly y: AxisTicks },
  { x, y, height, fontSize, xAngle = 0 }: AxesScales,
): void {
  const path = (at: readonly string[], width: number): void => {
    if (at.length === 0) return;
    group.append("path").attr("d", at.join("")).attr("stroke", "black").attr("stroke-width", width);
  };
  const marks = (
    list: readonly number[],
    length: number,
  ): Readonly<Record<"x" | "y", readonly string[]>> => ({
    x: list.map((value) => `M${roundPixels(x(value))},${roundPixels(height)}v${length}`),
    y: list.map((value) => `M0,${roundPixels(y(value))}h${-length}`),
  });
  for (const axis of ["x", "y"] as const) {
    const values = ticks[axis].major.map(({ value }) => value);
    path(marks(values, TICK_LENGTH)[axis], FRAME_WIDTH);
    path(marks(ticks[axis].minor, TICK_LENGTH * 0.57)[axis], FRAME_WIDTH * 0.75);
  }
  const top = height + TICK_LENGTH + TICK_PAD;
  for (const { value, text } of ticks.x.major) {
    if (xAngle === 0) {
      appendText(groupAt(group, x(value), top + tickHeight(ticks.x, fontSize)), text, "middle");
      continue;
    }
    const turned = groupAt(group, x(value), top)
      .append("g")
      .attr("transform", `rotate(${-xAngle})translate(0,${roundPixels(0.38 * fontSize)})`);
    appendText(turned as unknown as Group, text, "end");
  }
  for (const { value, text } of ticks.y.major) {
    const middle = y(value) + 0.365 * fontSize;
    appendText(groupAt(group, -TICK_LENGTH - TICK_PAD, middle), text, "end");
  }
}
