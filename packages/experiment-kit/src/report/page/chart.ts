import { epochAxis, firstAtLeast, valueAxis } from "./chart-scales.ts";
import type { Axis, Frame, Range, Zoom } from "./chart-scales.ts";
import { curvePath } from "./curve-path.ts";
import { svg } from "./elements.ts";
import { applyColors } from "./line-styles.ts";
import type { LineStyle } from "./line-styles.ts";
import type { Series } from "./model.ts";
import type { ScaleKind } from "./view-state.ts";

/** A curve as a chart draws it. */
export interface ChartCurve {
  readonly label: string;
  readonly series: Series;
  readonly style: LineStyle;
}

export interface ChartOptions {
  readonly width: number;
  readonly height: number;
  readonly xScale: ScaleKind;
  readonly yScale: ScaleKind;
  readonly zoom: Zoom;
}

/** The values of all curves near one epoch. */
export interface Reading {
  readonly epoch: number;
  /** By curve: the number of its point that is nearest to the epoch; -1 if it has none. */
  readonly points: readonly number[];
}

export interface Chart {
  readonly element: SVGSVGElement;
  draw(curves: readonly ChartCurve[], options: ChartOptions): void;
  /** The axes as last drawn. */
  readonly axes: { readonly x: Axis; readonly y: Axis; readonly frame: Frame } | undefined;
  /** The reading at the recorded epoch nearest to `epoch`. */
  readingAt(epoch: number): Reading | undefined;
  /** The recorded epoch `steps` after the given one, among all curves. */
  step(epoch: number | undefined, steps: number): number | undefined;
  /** Marks a reading (undefined: none), and the curve that is meant. */
  mark(reading: Reading | undefined, curve?: number): void;
  /** The curve nearest to a pixel at a reading; -1 if none is near. */
  nearestCurve(reading: Reading, pixelY: number): number;
  /** Shows what a drag will zoom to. */
  select(area: { readonly x: Range; readonly y: Range | null } | undefined): void;
}

let charts = 0;

export function createChart(): Chart {
  const clipId = `clip${charts++}`;
  const clip = svg("rect");
  const grid = svg("g", { class: "grid" });
  const lines = svg("g", { class: "lines", "clip-path": `url(#${clipId})` });
  const cursor = svg("g", { class: "cursor" });
  const selection = svg("rect", { class: "selection", visibility: "hidden" });
  const element = svg(
    "svg",
    {
      class: "chart",
      tabindex: 0,
      role: "application",
      "aria-roledescription": "interactive chart",
      "aria-describedby": "chart-keys",
    },
    svg("defs", {}, svg("clipPath", { id: clipId }, clip)),
    grid,
    lines,
    cursor,
    selection,
  );
  let curves: readonly ChartCurve[] = [];
  let axes: Chart["axes"];

  const pointOf = (reading: Reading, curve: number): { x: number; y: number } | undefined => {
    const i = reading.points[curve]!;
    const { series } = curves[curve]!;
    const value = series.values[i];
    if (axes === undefined || value === undefined || !Number.isFinite(value)) return undefined;
    const place = { x: axes.x.pixel(series.epochs[i]!), y: axes.y.pixel(value) };
    return Number.isFinite(place.x) && Number.isFinite(place.y) ? place : undefined;
  };
  const isInside = ({ x, y }: { x: number; y: number }): boolean => {
    const { frame } = axes!;
    return (
      x >= frame.left - 1 && x <= frame.right + 1 && y >= frame.top - 1 && y <= frame.bottom + 1
    );
  };

  return {
    element,
    get axes() {
      return axes;
    },
    draw(newCurves, { width, height, xScale, yScale, zoom }) {
      curves = newCurves;
      const series = curves.map((curve) => curve.series);
      const vertical = { top: 8, bottom: height - 24 };
      // The left margin depends on the texts of the values, which depend only on the height.
      const roughX = epochAxis(series, xScale, zoom.x, { left: 0, right: width, ...vertical });
      const y = valueAxis(series, yScale, zoom.y, roughX.domain, {
        left: 0,
        right: 0,
        ...vertical,
      });
      const widest = Math.max(2, ...y.ticks.map(({ text }) => text.length));
      const frame = { left: 12 + 6.4 * widest, right: width - 12, ...vertical };
      const x = epochAxis(series, xScale, zoom.x, frame);
      axes = { x, y, frame };
      element.setAttribute("viewBox", `0 0 ${width} ${height}`);
      setRectangle(clip, frame.left, frame.top, frame.right, frame.bottom);
      grid.replaceChildren(...gridLines(axes));
      lines.replaceChildren(...curves.map((curve) => curveElement(curve, x, y)));
      cursor.replaceChildren();
    },
    readingAt(epoch) {
      let nearest: number | undefined;
      for (const { series } of curves) {
        const found = series.epochs[nearestPoint(series.epochs, epoch)];
        if (found === undefined) continue;
        if (nearest === undefined || Math.abs(found - epoch) < Math.abs(nearest - epoch))
          nearest = found;
      }
      if (nearest === undefined) return undefined;
      const at = nearest;
      return { epoch: at, points: curves.map(({ series }) => nearestPoint(series.epochs, at)) };
    },
    step(epoch, steps) {
      const all = [...new Set(curves.flatMap(({ series }) => series.epochs))].sort((a, b) => a - b);
      if (all.length === 0) return undefined;
      const start = epoch === undefined ? (steps > 0 ? -1 : all.length) : nearestPoint(all, epoch);
      return all[Math.min(all.length - 1, Math.max(0, start + steps))];
    },
    mark(reading, marked = -1) {
      cursor.replaceChildren();
      if (reading === undefined || axes === undefined) return;
      const { frame, x } = axes;
      const at = x.pixel(reading.epoch);
      if (!(at >= frame.left - 1 && at <= frame.right + 1)) return;
      cursor.append(svg("line", { x1: at, x2: at, y1: frame.top, y2: frame.bottom }));
      curves.forEach((curve, i) => {
        const point = pointOf(reading, i);
        if (point === undefined || !isInside(point)) return;
        const dot = svg("circle", { cx: point.x, cy: point.y, r: i === marked ? 5 : 3 });
        applyColors(dot, curve.style);
        cursor.append(dot);
      });
    },
    nearestCurve(reading, pixelY) {
      let nearest = -1;
      let distance = Infinity;
      curves.forEach((_, i) => {
        const point = pointOf(reading, i);
        if (point === undefined || !isInside(point)) return;
        const away = Math.abs(point.y - pixelY);
        if (away < distance) {
          nearest = i;
          distance = away;
        }
      });
      return nearest;
    },
    select(area) {
      selection.setAttribute("visibility", area === undefined ? "hidden" : "visible");
      if (area === undefined || axes === undefined) return;
      const { frame } = axes;
      const [top, bottom] = area.y ?? [frame.top, frame.bottom];
      setRectangle(selection, area.x[0], top, area.x[1], bottom);
    },
  };
}

function nearestPoint(epochs: ArrayLike<number>, epoch: number): number {
  const after = firstAtLeast(epochs, epoch);
  if (after === 0) return epochs.length === 0 ? -1 : 0;
  if (after === epochs.length) return after - 1;
  return epochs[after]! - epoch < epoch - epochs[after - 1]! ? after : after - 1;
}

function gridLines({ x, y, frame }: NonNullable<Chart["axes"]>): readonly SVGElement[] {
  const elements: SVGElement[] = [];
  for (const { at, text } of y.ticks) {
    const pixel = y.pixel(at);
    if (pixel < frame.top - 1 || pixel > frame.bottom + 1) continue;
    elements.push(
      svg("line", { x1: frame.left, x2: frame.right, y1: pixel, y2: pixel }),
      svg("text", { x: frame.left - 6, y: pixel, dy: "0.35em", "text-anchor": "end" }, text),
    );
  }
  for (const { at, text } of x.ticks) {
    const pixel = x.pixel(at);
    if (pixel < frame.left - 1 || pixel > frame.right + 1) continue;
    elements.push(
      svg("line", { class: "tick", x1: pixel, x2: pixel, y1: frame.bottom, y2: frame.bottom + 4 }),
    );
    // The end of the axis bears its name.
    if (pixel < frame.right - 44 - 3.4 * text.length)
      elements.push(svg("text", { x: pixel, y: frame.bottom + 17, "text-anchor": "middle" }, text));
  }
  elements.push(
    svg("text", { x: frame.right, y: frame.bottom + 17, "text-anchor": "end" }, "epoch"),
    svg("line", {
      class: "base",
      x1: frame.left,
      x2: frame.right,
      y1: frame.bottom,
      y2: frame.bottom,
    }),
  );
  return elements;
}

function curveElement({ series, style }: ChartCurve, x: Axis, y: Axis): SVGPathElement {
  const path = svg("path", {
    d: curvePath(series, x, y),
    "stroke-dasharray": style.dashes || undefined,
    "stroke-opacity": style.opacity,
  });
  applyColors(path, style);
  return path;
}

function setRectangle(
  rectangle: SVGRectElement,
  left: number,
  top: number,
  right: number,
  bottom: number,
): void {
  rectangle.setAttribute("x", String(left));
  rectangle.setAttribute("y", String(top));
  rectangle.setAttribute("width", String(Math.max(0, right - left)));
  rectangle.setAttribute("height", String(Math.max(0, bottom - top)));
}
