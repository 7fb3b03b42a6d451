import { button, html, setText } from "./elements.ts";
import { applyColors, lineSample, runColor, runLetter } from "./line-styles.ts";
import type { CurvePlace, LineStyle } from "./line-styles.ts";
import type { ShownRun } from "./model.ts";
import { formatCount, formatValue } from "./numbers.ts";
import { shortNames } from "./short-names.ts";

export interface LegendOptions {
  readonly names: readonly string[];
  readonly hiddenNames: ReadonlySet<string>;
  readonly runs: readonly ShownRun[];
  readonly styleOf: (place: CurvePlace) => LineStyle;
  /** `alone`: show only this metric, or all again. */
  onToggleName(name: string, alone: boolean): void;
}

/** One curve of a chart: metric and run by their places in the legend. */
export interface LegendPlace {
  readonly name: number;
  readonly run: number;
}

/** The names of a chart's curves with their values; names are switches. */
export interface Legend {
  readonly element: HTMLElement;
  build(options: LegendOptions): void;
  /** Shows the values at an epoch; undefined: the last ones. `marked` is the curve that is meant. */
  show(
    epoch: number | undefined,
    valueOf: (place: LegendPlace) => number | null | undefined,
    marked: LegendPlace | undefined,
  ): void;
}

export function createLegend(): Legend {
  const caption = html("p", { class: "legend-caption" });
  const content = html("div", { class: "legend-content" });
  const element = html("div", { class: "legend" }, caption, content);
  let cells: readonly { readonly place: LegendPlace; readonly cell: HTMLElement }[] = [];

  return {
    element,
    build(options) {
      const focused = content.contains(document.activeElement)
        ? (document.activeElement as HTMLElement).dataset["metric"]
        : undefined;
      const added: { place: LegendPlace; cell: HTMLElement }[] = [];
      const addCell = (place: LegendPlace): HTMLElement => {
        const cell = html("span", { class: "value" });
        added.push({ place, cell });
        return cell;
      };
      const { names, runs } = options;
      const isTable = names.length > 1 && runs.length > 1;
      const shape = isTable ? metricsByRun : runs.length > 1 ? listOfRuns : listOfMetrics;
      content.replaceChildren(shape(options, addCell));
      cells = added;
      if (focused === undefined) return;
      const switches = [...content.querySelectorAll<HTMLElement>("[data-metric]")];
      switches.find(({ dataset }) => dataset["metric"] === focused)?.focus();
    },
    show(epoch, valueOf, marked) {
      setText(caption, epoch === undefined ? "Last values" : `Epoch ${formatCount(epoch)}`);
      for (const { place, cell } of cells) {
        setText(cell, formatValue(valueOf(place)));
        const isMarked = marked?.name === place.name && marked.run === place.run;
        cell.classList.toggle("marked", isMarked);
      }
    },
  };
}

type AddCell = (place: LegendPlace) => HTMLElement;

function listOfMetrics(options: LegendOptions, addCell: AddCell): HTMLElement {
  const run = options.runs[0]?.number ?? 0;
  const items = options.names.map((name, i) => {
    const sample = lineSample(options.styleOf({ series: i, run }));
    return html("li", {}, metricSwitch(name, options, sample), addCell({ name: i, run: 0 }));
  });
  return html("ul", {}, ...items);
}

function listOfRuns({ runs, styleOf }: LegendOptions, addCell: AddCell): HTMLElement {
  const items = runs.map(({ run, number }, i) => {
    const sample = lineSample(styleOf({ series: 0, run: number }));
    const name = html(
      "span",
      { class: "curve-name", title: run.name },
      sample,
      runBadge(number),
      html("span", { class: "name" }, run.name),
    );
    return html("li", {}, name, addCell({ name: 0, run: i }));
  });
  return html("ul", { class: "of-runs" }, ...items);
}

/** Metrics down, runs across. */
function metricsByRun(options: LegendOptions, addCell: AddCell): HTMLElement {
  const { names, runs, styleOf } = options;
  const head = runs.map(({ run, number }) =>
    html("th", { scope: "col", title: run.name }, runBadge(number)),
  );
  const rows = names.map((name, i) =>
    html(
      "tr",
      {},
      html("th", { scope: "row" }, metricSwitch(name, options)),
      ...runs.map(({ number }, r) => {
        const sample = lineSample(styleOf({ series: i, run: number }));
        return html("td", {}, sample, addCell({ name: i, run: r }));
      }),
    ),
  );
  const corner = html("th", { scope: "col" }, html("span", { class: "sr-only" }, "Metric"));
  return html(
    "table",
    {},
    html("thead", {}, html("tr", {}, corner, ...head)),
    html("tbody", {}, ...rows),
  );
}

function metricSwitch(
  name: string,
  { names, hiddenNames, onToggleName }: LegendOptions,
  sample?: SVGSVGElement,
): HTMLElement {
  return button(
    {
      class: "curve-name",
      "data-metric": name,
      "aria-label": name,
      "aria-pressed": String(!hiddenNames.has(name)),
      title: `${name}: show or hide; with Shift: only this one`,
    },
    (event) => onToggleName(name, event.shiftKey),
    sample,
    html("span", { class: "name" }, shortNames(names)[names.indexOf(name)]!),
  );
}

/** The letter of a run in its color. */
export function runBadge(number: number): HTMLElement {
  const badge = html("span", { class: "badge" }, runLetter(number));
  applyColors(badge, runColor(number));
  return badge;
}
