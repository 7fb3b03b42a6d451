import { chooseYScale } from "../../plots/y-scale.ts";
import { createChart } from "./chart.ts";
import type { ChartCurve, Reading } from "./chart.ts";
import { listenToChart } from "./chart-input.ts";
import { hasPositive } from "./chart-scales.ts";
import type { Range, Zoom } from "./chart-scales.ts";
import { breakable, button, html, setText, svg } from "./elements.ts";
import { createLegend, runBadge } from "./legend.ts";
import type { LegendPlace } from "./legend.ts";
import { lineStyles } from "./line-styles.ts";
import type { Model, ShownRun, Tag } from "./model.ts";
import { formatCount, formatValue } from "./numbers.ts";
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

interface DrawnCurve extends ChartCurve {
  readonly place: LegendPlace;
}

const MOST_SPOKEN = 6;

export function createPanel(
  context: PanelContext,
  { tag, names: firstNames }: Tag,
  index: number,
): Panel {
  const { model, view, announce } = context;
  const hiddenNames = new Set<string>();
  let names = firstNames;
  let yScale: ScaleKind | undefined;
  let zoom: Zoom = { x: null, y: null };
  let isCurrent = false;
  let isInView = false;
  let runs: readonly ShownRun[] = [];
  let curves: readonly DrawnCurve[] = [];
  let pointed: number | undefined;

  const chart = createChart();
  const legend = createLegend();
  const headingId = `chart-${index}`;
  const logSwitch = button({ class: "tool" }, () => toggleLog(), "Log");
  const resetButton = button({ class: "tool", hidden: true }, () => resetZoom(), "Reset zoom");
  const sizeSwitch = button(
    { class: "tool", "aria-pressed": "false", "aria-label": "Enlarge", title: "Enlarge" },
    () => {
      const isLarge = element.classList.toggle("large");
      sizeSwitch.setAttribute("aria-pressed", String(isLarge));
    },
    svg(
      "svg",
      { viewBox: "0 0 12 12", width: 12, height: 12, "aria-hidden": "true" },
      svg("path", { class: "icon", d: "M7.5 1H11V4.5M11 1 7 5M4.5 11H1V7.5M1 11 5 7" }),
    ),
  );
  const tools = { role: "group", class: "tools", "aria-labelledby": headingId };
  const label = html("div", { class: "reading", "aria-hidden": "true", hidden: true });
  const empty = html("p", { class: "empty", hidden: true });
  const plot = html("div", { class: "plot" }, chart.element, label, empty);
  const element = html(
    "section",
    { class: "panel", "data-tag": tag, "aria-labelledby": headingId },
    html(
      "header",
      {},
      html("h3", { id: headingId }, breakable(tag)),
      html("div", tools, resetButton, logSwitch, sizeSwitch),
    ),
    plot,
    legend.element,
  );
  chart.element.setAttribute("tabindex", "0");
  chart.element.setAttribute("role", "application");
  chart.element.setAttribute("aria-roledescription", "interactive chart");
  chart.element.setAttribute("aria-describedby", "chart-keys");

  const currentYScale = (): ScaleKind => {
    if (yScale !== undefined) return yScale;
    const chosen = view.state.yScale;
    if (chosen !== "auto") return chosen;
    const lines = curves.map(({ label: text, series }) => ({
      label: text,
      x: series.epochs,
      y: series.values,
    }));
    return chooseYScale(tag, lines);
  };

  const collectCurves = (): void => {
    runs = model.runs.filter(
      (run) => run.isShown && run.run.metrics.some((metric) => metric.tag === tag),
    );
    const styleOf = lineStyles(names, runs.length, view.state.colorBy);
    curves = runs.flatMap(({ run, series, number }, r) =>
      names.flatMap((name, i) => {
        const metric = run.metrics.findIndex((m) => m.name === name && m.tag === tag);
        if (metric < 0 || hiddenNames.has(name)) return [];
        return [
          {
            label: name,
            series: series[metric]!,
            style: styleOf({ series: i, run: number }),
            place: { name: i, run: r },
          },
        ];
      }),
    );
    legend.build({ names, hiddenNames, runs, styleOf, onToggleName });
  };

  const draw = (): void => {
    isCurrent = true;
    collectCurves();
    const scale = currentYScale();
    const width = Math.max(220, Math.round(plot.clientWidth));
    const height = Math.round(
      Math.min(element.classList.contains("large") ? 520 : 280, Math.max(200, width * 0.6)),
    );
    chart.draw(curves, { width, height, xScale: view.state.xScale, yScale: scale, zoom });
    logSwitch.setAttribute("aria-pressed", String(scale === "log"));
    resetButton.hidden = zoom.x === null && zoom.y === null;
    showEmpty(scale);
    chart.element.setAttribute("aria-label", describe(scale));
    read(pointed === undefined ? undefined : chart.readingAt(pointed), undefined);
  };

  const showEmpty = (scale: ScaleKind): void => {
    const series = curves.map((curve) => curve.series);
    const text = !series.some(({ values }) => values.some(Number.isFinite))
      ? hiddenNames.size > 0
        ? "Everything is hidden; switch something on below."
        : "No values yet."
      : scale === "log" && !hasPositive(series)
        ? "No positive values: a log axis cannot show them."
        : "";
    setText(empty, text);
    empty.hidden = text === "";
  };

  const describe = (scale: ScaleKind): string => {
    const ends = curves.slice(0, MOST_SPOKEN).map((curve) => {
      const { series } = curve;
      const of = runs.length > 1 ? ` of ${runs[curve.place.run]!.run.name}` : "";
      return `${curve.label}${of} from ${formatValue(series.values[0])} to ${formatValue(series.values.at(-1))}`;
    });
    const rest = curves.length > MOST_SPOKEN ? `, and ${curves.length - MOST_SPOKEN} more` : "";
    return `${tag} over epochs, ${scale} axis. ${ends.join("; ")}${rest}`;
  };

  const read = (reading: Reading | undefined, pixelY: number | undefined): void => {
    pointed = reading?.epoch;
    const nearest =
      reading === undefined || pixelY === undefined ? -1 : chart.nearestCurve(reading, pixelY);
    chart.mark(reading, nearest);
    legend.show(reading?.epoch, (place) => valueAt(reading, place), curves[nearest]?.place);
    showLabel(reading, nearest);
  };

  const valueAt = (reading: Reading | undefined, place: LegendPlace): number | null | undefined => {
    const curve = curves.findIndex((c) => c.place.name === place.name && c.place.run === place.run);
    if (curve < 0) return undefined;
    const { values } = curves[curve]!.series;
    return reading === undefined ? values.at(-1) : values[reading.points[curve]!];
  };

  const showLabel = (reading: Reading | undefined, nearest: number): void => {
    const { axes } = chart;
    label.hidden = reading === undefined || axes === undefined;
    if (reading === undefined || axes === undefined) return;
    const curve = curves[nearest];
    const run = curve === undefined || runs.length < 2 ? undefined : runs[curve.place.run];
    const value =
      curve === undefined ? "" : formatValue(curve.series.values[reading.points[nearest]!]);
    label.replaceChildren(
      html("span", { class: "epoch" }, `epoch ${formatCount(reading.epoch)}`),
      ...(curve === undefined
        ? []
        : [
            html(
              "span",
              { class: "what" },
              run === undefined ? null : runBadge(run.number),
              shortNames(names)[curve.place.name]!,
            ),
            html("strong", {}, value),
          ]),
    );
    const isRight = axes.x.pixel(reading.epoch) > (axes.frame.left + axes.frame.right) / 2;
    label.classList.toggle("on-left", isRight);
    label.style.setProperty("--inset", `${isRight ? axes.frame.left + 6 : 18}px`);
  };

  const point = (epoch: number, pixelY: number | undefined): void => {
    const reading = chart.readingAt(epoch);
    read(reading, pixelY);
    if (pixelY !== undefined || reading === undefined) return;
    const spoken = curves.slice(0, MOST_SPOKEN).map((curve, i) => {
      const of = runs.length > 1 ? ` of ${runs[curve.place.run]!.run.name}` : "";
      return `${curve.label}${of} ${formatValue(curve.series.values[reading.points[i]!])}`;
    });
    announce(`Epoch ${formatCount(reading.epoch)}: ${spoken.join(", ")}`);
  };

  const setZoom = (change: Partial<Zoom>): void => {
    zoom = { ...zoom, ...change, ...(change.x ? { x: withinCurves(change.x) } : {}) };
    if (change.y === undefined && change.x !== undefined) zoom = { ...zoom, y: null };
    draw();
  };

  /** Zooming out ends at the whole curves; zooming in, at one epoch. */
  const withinCurves = ([low, high]: Range): Range | null => {
    const epochs = curves.flatMap(({ series }) => [
      series.epochs[0] ?? 0,
      series.epochs.at(-1) ?? 1,
    ]);
    const least = Math.max(Math.min(...epochs), view.state.xScale === "log" ? 1 : -Infinity);
    const most = Math.max(...epochs);
    if (!(low < high) || (low <= least && high >= most)) return null;
    if (high - low < 1) return zoom.x;
    return [Math.max(least, low), Math.min(most, high)];
  };

  const resetZoom = (): void => {
    setZoom({ x: null, y: null });
    context.onZoomEpochs(panel, null);
    if (document.activeElement === document.body) chart.element.focus({ preventScroll: true });
  };

  const toggleLog = (): void => {
    yScale = currentYScale() === "log" ? "linear" : "log";
    zoom = { ...zoom, y: null };
    draw();
  };

  const onToggleName = (name: string, alone: boolean): void => {
    if (alone) {
      const isAlone = !hiddenNames.has(name) && hiddenNames.size === names.length - 1;
      hiddenNames.clear();
      if (!isAlone)
        names.filter((other) => other !== name).forEach((other) => hiddenNames.add(other));
    } else if (!hiddenNames.delete(name)) hiddenNames.add(name);
    draw();
  };

  listenToChart(chart, {
    point,
    leave: () => read(undefined, undefined),
    zoom(change) {
      setZoom(change);
      if (change.x !== undefined) context.onZoomEpochs(panel, zoom.x);
    },
    resetZoom,
    toggleLog,
    get pointed() {
      return pointed;
    },
  });

  const panel: Panel = {
    element,
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
    if (change.yScale !== undefined) yScale = undefined;
    if (change.xScale !== undefined) zoom = { x: null, y: null };
    if (change.filter === undefined) panel.invalidate();
  });
  return panel;
}
