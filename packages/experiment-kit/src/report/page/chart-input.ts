import type { Chart } from "./chart.ts";
import type { Axis, Range, Zoom } from "./chart-scales.ts";

/** What a reader does to a chart with mouse, fingers and keys. */
export interface ChartActions {
  /** Points at an epoch, and at a pixel's height (undefined: with keys). */
  point(epoch: number, pixelY: number | undefined): void;
  leave(): void;
  zoom(zoom: Partial<Zoom>): void;
  resetZoom(): void;
  toggleLog(): void;
  /** The epoch that is pointed at. */
  readonly pointed: number | undefined;
}

const SMALLEST_DRAG = 6;
/** A drag at least this high zooms the values too. */
const SMALLEST_BOX = 24;
const WHEEL_SPEED = 0.0016;
const KEY_ZOOM = 0.6;

/** Mouse: hover reads, drag zooms, double click resets, wheel (with Ctrl, or when focused) zooms. */
export function listenToChart(chart: Chart, actions: ChartActions): void {
  listenToPointers(chart, actions);
  listenToWheel(chart, actions);
  chart.element.addEventListener("dblclick", actions.resetZoom);
  chart.element.addEventListener("keydown", (event) => {
    if (handleKey(chart, actions, event)) event.preventDefault();
  });
  chart.element.addEventListener("blur", actions.leave);
}

interface Place {
  readonly x: number;
  readonly y: number;
}

/** Pixels of the drawing, which the browser may have scaled. */
function placeOf(chart: Chart, event: MouseEvent): Place {
  const box = chart.element.getBoundingClientRect();
  const { width, height } = chart.element.viewBox.baseVal;
  return {
    x: ((event.clientX - box.left) / box.width) * width,
    y: ((event.clientY - box.top) / box.height) * height,
  };
}

function listenToPointers(chart: Chart, actions: ChartActions): void {
  const { element } = chart;
  const fingers = new Map<number, Place>();
  let dragStart: Place | undefined;
  let pinch: { readonly x: Range; readonly between: Range } | undefined;

  const pointAt = ({ x, y }: Place): void => {
    if (chart.axes !== undefined) actions.point(chart.axes.x.value(x), y);
  };
  const area = (end: Place): { x: Range; y: Range | null } | undefined => {
    const { frame } = chart.axes!;
    const start = dragStart!;
    const x = clampRange(start.x, end.x, frame.left, frame.right);
    const y = clampRange(start.y, end.y, frame.top, frame.bottom);
    if (x[1] - x[0] < SMALLEST_DRAG) return undefined;
    return { x, y: y[1] - y[0] < SMALLEST_BOX ? null : y };
  };

  element.addEventListener("pointerdown", (event) => {
    const place = placeOf(chart, event);
    if (event.pointerType === "touch") {
      fingers.set(event.pointerId, place);
      pinch = startPinch(chart, fingers);
      pointAt(place);
    } else if (event.button === 0 && chart.axes !== undefined) {
      dragStart = place;
      element.setPointerCapture(event.pointerId);
    }
  });
  element.addEventListener("pointermove", (event) => {
    const place = placeOf(chart, event);
    if (fingers.has(event.pointerId)) fingers.set(event.pointerId, place);
    if (pinch !== undefined && chart.axes !== undefined) {
      const x = pinchedRange(chart.axes.x, pinch, [...fingers.values()]);
      if (x !== undefined) actions.zoom({ x });
    } else if (dragStart !== undefined) chart.select(area(place));
    else pointAt(place);
  });
  const end = (event: PointerEvent): void => {
    fingers.delete(event.pointerId);
    if (fingers.size < 2) pinch = undefined;
    const selected = dragStart === undefined ? undefined : area(placeOf(chart, event));
    dragStart = undefined;
    chart.select(undefined);
    if (selected === undefined || event.type === "pointercancel") return;
    const { x, y } = chart.axes!;
    actions.zoom({
      x: [x.value(selected.x[0]), x.value(selected.x[1])],
      ...(selected.y === null ? {} : { y: [y.value(selected.y[1]), y.value(selected.y[0])] }),
    });
  };
  element.addEventListener("pointerup", end);
  element.addEventListener("pointercancel", end);
  element.addEventListener("pointerleave", (event) => {
    if (event.pointerType !== "touch" && dragStart === undefined) actions.leave();
  });
}

function clampRange(a: number, b: number, low: number, high: number): Range {
  const clamp = (value: number): number => Math.min(high, Math.max(low, value));
  return [clamp(Math.min(a, b)), clamp(Math.max(a, b))];
}

function startPinch(
  { axes }: Chart,
  fingers: ReadonlyMap<number, Place>,
): { x: Range; between: Range } | undefined {
  const [first, second] = fingers.values();
  if (axes === undefined || first === undefined || second === undefined) return undefined;
  return { x: axes.x.domain, between: [first.x, second.x] };
}

/** The epochs to show so that those under the two fingers stay under them. */
function pinchedRange(
  axis: Axis,
  start: { readonly x: Range; readonly between: Range },
  [first, second]: readonly Place[],
): Range | undefined {
  if (first === undefined || second === undefined) return undefined;
  const spread = Math.abs(first.x - second.x);
  const before = Math.abs(start.between[0] - start.between[1]);
  if (spread < 10 || before < 10) return undefined;
  return scaledRange(axis, start.x, (first.x + second.x) / 2, before / spread);
}

/** The range around a pixel's value, `factor` times as long. */
function scaledRange(axis: Axis, range: Range, pixel: number, factor: number): Range {
  const center = axis.value(pixel);
  if (axis.kind === "log")
    return [center * (range[0] / center) ** factor, center * (range[1] / center) ** factor];
  return [center + (range[0] - center) * factor, center + (range[1] - center) * factor];
}

function listenToWheel(chart: Chart, actions: ChartActions): void {
  chart.element.addEventListener(
    "wheel",
    (event) => {
      // Else the page could not be scrolled past its charts.
      const isMeant = event.ctrlKey || event.metaKey || document.activeElement === chart.element;
      if (!isMeant || chart.axes === undefined) return;
      event.preventDefault();
      const { x, frame } = chart.axes;
      const pixel = Math.min(frame.right, Math.max(frame.left, placeOf(chart, event).x));
      const pixels = event.deltaMode === 0 ? event.deltaY : event.deltaY * 30;
      actions.zoom({ x: scaledRange(x, x.domain, pixel, Math.exp(pixels * WHEEL_SPEED)) });
    },
    { passive: false },
  );
}

function handleKey(chart: Chart, actions: ChartActions, event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || chart.axes === undefined) return false;
  const { x, frame } = chart.axes;
  const zoomBy = (factor: number): void => {
    const pointed = actions.pointed;
    const pixel = pointed === undefined ? (frame.left + frame.right) / 2 : x.pixel(pointed);
    actions.zoom({ x: scaledRange(x, x.domain, pixel, factor) });
  };
  const moveBy = (steps: number): void => {
    const epoch = chart.step(actions.pointed, steps);
    if (epoch !== undefined) actions.point(epoch, undefined);
  };
  const pace = event.shiftKey ? 10 : 1;
  const byKey: Readonly<Record<string, () => void>> = {
    ArrowLeft: () => moveBy(-pace),
    ArrowRight: () => moveBy(pace),
    Home: () => moveBy(-Infinity),
    End: () => moveBy(Infinity),
    "+": () => zoomBy(KEY_ZOOM),
    "=": () => zoomBy(KEY_ZOOM),
    "-": () => zoomBy(1 / KEY_ZOOM),
    "0": actions.resetZoom,
    Escape: () => {
      actions.resetZoom();
      actions.leave();
    },
    l: actions.toggleLog,
    L: actions.toggleLog,
  };
  const action = byKey[event.key];
  action?.();
  return action !== undefined;
}
