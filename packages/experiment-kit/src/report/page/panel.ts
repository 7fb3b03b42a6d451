import { chooseYScale } from "../../plots/y-scale.ts";
import { createChart } from "./chart.ts";
import type { Reading } from "./chart.ts";
import { listenToChart } from "./chart-input.ts";
import type { Range, Zoom } from "./chart-scales.ts";
import { createLegend } from "./legend.ts";
import { formatValue } from "./numbers.ts";
import type { Model, Tag } from "./model.ts";
import {
  collectCurves,
  describeCurves,
  describeReading,
  emptyText,
  epochsWithin,
  valueAt,
} from "./panel-curves.ts";
import type { PanelCurve, PanelCurves } from "./panel-curves.ts";
import { createPanelFrame } from "./panel-frame.ts";
import type { LabelledCurve } from "./panel-frame.ts";
import { shortNames } from "./short-names.ts";
import type { ScaleKind, View } from "./view-state.ts";

/** What panels share. */
export interface PanelContext {
  readonly model: Model;
  readonly view: View;
  /** Tells screen readers. */
  announce(text: string): void;
  /** Zooms the epochs of all charts, if they are linked. */
  onZoomEpochs(from: Panel, range: Range | null): void;
}

/** One chart with its title, tools and legend. */
export interface Panel {
  readonly element: HTMLElement;
  readonly tag: string;
  readonly names: readonly string[];
  setNames(names: readonly string[]): void;
  /** Draws again when the panel is next in view. */
  invalidate(): void;
  /** Draws now what is out of date. */
  drawIfNeeded(): void;
  setInView(isInView: boolean): void;
  zoomEpochs(range: Range | null): void;
  resetZoom(): void;
}

export function createPanel(context: PanelContext, shownTag: Tag, index: number): Panel {
  const { model, view } = context;
  const { tag } = shownTag;
  const hiddenNames = new Set<string>();
  let { names } = shownTag;
  let ownScale: ScaleKind | undefined;
  let zoom: Zoom = { x: null, y: null };
  let isCurrent = false;
  let isInView = false;
  let shown: PanelCurves = { runs: [], curves: [], styleOf: () => NO_STYLE };
  let pointed: { readonly epoch: number; readonly pixelY: number | undefined } | undefined;
  let legendIsFor = "";

  const currentScale = (): ScaleKind => ownScale ?? chosenScale(tag, shown.curves, view);

  const draw = (): void => {
    isCurrent = true;
    shown = collectCurves(model, tag, names, hiddenNames, view.state.colorBy);
    buildLegend();
    const yScale = currentScale();
    chart.draw(shown.curves, { ...frame.size(), xScale: view.state.xScale, yScale, zoom });
    chart.element.setAttribute("aria-label", describeCurves(tag, yScale, shown));
    frame.showTools(yScale, zoom.x !== null || zoom.y !== null);
    frame.showEmpty(emptyText(shown, yScale, hiddenNames.size > 0 || shown.runs.length === 0));
    if (pointed === undefined) read(undefined, undefined);
    else read(chart.readingAt(pointed.epoch), pointed.pixelY);
  };
  /** Only if it is another one: while points keep coming, a press on a name must find it still there. */
  const buildLegend = (): void => {
    const runs = shown.runs.map(({ number, run }) => [number, run.name]);
    const isFor = JSON.stringify([names, [...hiddenNames], runs, view.state.colorBy]);
    if (isFor === legendIsFor) return;
    legendIsFor = isFor;
    legend.build({ ...shown, names, hiddenNames, onToggleName });
  };
  const read = (reading: Reading | undefined, pixelY: number | undefined): void => {
    pointed = reading && { epoch: reading.epoch, pixelY };
    const isAtCurve = reading !== undefined && pixelY !== undefined;
    const nearest = isAtCurve ? chart.nearestCurve(reading, pixelY) : -1;
    const curve = shown.curves[nearest];
    chart.mark(reading, nearest);
    legend.show(reading?.epoch, (place) => valueAt(shown, reading, place), curve?.place);
    frame.showLabel(reading, curve && labelOf(shown, names, curve, reading));
  };
  const point = (epoch: number, pixelY: number | undefined): void => {
    const reading = chart.readingAt(epoch);
    read(reading, pixelY);
    // The mouse reads with the eyes; keys may be used without.
    if (pixelY === undefined && reading !== undefined)
      context.announce(describeReading(reading, shown));
  };
  const setZoom = ({ x = zoom.x, y = null }: Partial<Zoom>): void => {
    zoom = { x: x && epochsWithin(shown.curves, x, zoom.x, view.state.xScale), y };
    draw();
  };
  const resetZoom = (): void => {
    setZoom({ x: null });
    context.onZoomEpochs(panel, null);
    // The button that was pressed is hidden now.
    if (document.activeElement === document.body) chart.element.focus({ preventScroll: true });
  };
  const toggleLog = (): void => {
    ownScale = currentScale() === "log" ? "linear" : "log";
    setZoom({});
  };
  const onToggleName = (name: string, alone: boolean): void => {
    toggleName(hiddenNames, names, name, alone);
    draw();
  };

  const chart = createChart();
  const legend = createLegend();
  const frame = createPanelFrame({
    tag,
    index,
    chart,
    legend: legend.element,
    onToggleLog: toggleLog,
    onResetZoom: resetZoom,
  });
  listenToChart(chart, {
    point,
    leave: () => read(undefined, undefined),
    zoom(change) {
      setZoom(change);
      context.onZoomEpochs(panel, zoom.x);
    },
    resetZoom,
    toggleLog,
    get pointed() {
      return pointed?.epoch;
    },
  });
  const panel: Panel = {
    element: frame.element,
    tag,
    get names() {
      return names;
    },
    setNames(newNames) {
      names = newNames;
    },
    invalidate() {
      isCurrent = false;
      if (isInView) draw();
    },
    drawIfNeeded() {
      if (!isCurrent) draw();
    },
    setInView(now) {
      isInView = now;
      if (isInView && !isCurrent) draw();
    },
    zoomEpochs(range) {
      zoom = { x: range, y: null };
      panel.invalidate();
    },
    resetZoom,
  };
  view.listen((change) => {
    if (change.yScale !== undefined) ownScale = undefined;
    if (change.xScale !== undefined) zoom = { x: null, y: null };
    if (change.filter === undefined) panel.invalidate();
  });
  return panel;
}

const NO_STYLE = { onLight: "", onDark: "", dashes: "", opacity: 1 };

function labelOf(
  shown: PanelCurves,
  names: readonly string[],
  { place }: PanelCurve,
  reading: Reading | undefined,
): LabelledCurve {
  return {
    name: shortNames(names)[place.name]!,
    value: formatValue(valueAt(shown, reading, place)),
    run: shown.runs.length > 1 ? shown.runs[place.run]!.number : undefined,
  };
}

function chosenScale(tag: string, curves: readonly PanelCurve[], { state }: View): ScaleKind {
  if (state.yScale !== "auto") return state.yScale;
  const lines = curves.map(({ label, series }) => ({ label, x: series.epochs, y: series.values }));
  return chooseYScale(tag, lines);
}

/** `alone`: hides all others; if they are hidden already, shows all. */
function toggleName(
  hidden: Set<string>,
  names: readonly string[],
  name: string,
  alone: boolean,
): void {
  if (!alone) {
    if (!hidden.delete(name)) hidden.add(name);
    return;
  }
  const isAlone = !hidden.has(name) && hidden.size === names.length - 1;
  hidden.clear();
  if (isAlone) return;
  for (const other of names) if (other !== name) hidden.add(other);
}
