import type { RecordedValue, ReportMetric } from "../report-data.ts";
import { html, setText } from "./elements.ts";
import { runBadge } from "./legend.ts";
import type { Model, ShownRun } from "./model.ts";
import { formatCount, formatValue } from "./numbers.ts";
import { matchesFilter } from "./view-state.ts";
import type { View } from "./view-state.ts";

const ends = [
  { title: "last", of: (metric: ReportMetric) => metric.last },
  { title: "lowest", of: (metric: ReportMetric) => metric.lowest },
  { title: "highest", of: (metric: ReportMetric) => metric.highest },
];

/** While points keep coming the table follows at this pace. */
const REFRESH_MS = 1000;

interface Cell {
  readonly run: ShownRun;
  readonly metric: number;
  readonly of: (metric: ReportMetric) => RecordedValue;
  readonly value: HTMLElement;
  readonly epoch: HTMLElement;
}

/** The last, lowest and highest value of every metric of every run. */
export function createValuesSection(model: Model, view: View): HTMLElement {
  const body = html("div", {
    class: "table-frame",
    tabindex: "0",
    role: "group",
    "aria-labelledby": "values-title",
  });
  let cells: Cell[] = [];
  let rows: readonly { readonly element: HTMLElement; readonly texts: readonly string[] }[] = [];
  let isPlanned = false;

  const refresh = (): void => {
    isPlanned = false;
    for (const { run, metric, of, value, epoch } of cells) {
      const recorded = of(run.run.metrics[metric]!);
      setText(value, formatValue(recorded.value));
      setText(epoch, recorded.epoch < 0 ? "" : `@ ${formatCount(recorded.epoch)}`);
    }
  };
  const applyFilter = (): void => {
    for (const { element, texts } of rows)
      element.hidden = !matchesFilter(view.state.filter, texts);
  };
  const rebuild = (): void => {
    cells = [];
    rows = model.tags().flatMap(({ tag, names }) =>
      names.map((name) => ({
        element: html(
          "tr",
          {},
          html("th", { scope: "row" }, name),
          ...model.runs.flatMap((run) => valueCells(run, tag, name, cells)),
        ),
        texts: [tag, name],
      })),
    );
    body.replaceChildren(
      html(
        "table",
        { class: "values" },
        valuesHead(model.runs),
        html("tbody", {}, ...rows.map((row) => row.element)),
      ),
    );
    applyFilter();
    refresh();
  };
  model.listen((change) => {
    if (change.kind === "structure") rebuild();
    else if (change.kind === "points" && !isPlanned) {
      isPlanned = true;
      setTimeout(refresh, REFRESH_MS);
    }
  });
  view.listen((change) => {
    if (change.filter !== undefined) applyFilter();
  });
  rebuild();
  return html(
    "section",
    { id: "values", "aria-labelledby": "values-title" },
    html("h2", { id: "values-title" }, "Final and extreme values"),
    html(
      "p",
      { class: "hint" },
      "With the epoch (counted from 0) that each was recorded at. The filter above applies here too.",
    ),
    body,
  );
}

function valueCells(
  run: ShownRun,
  tag: string,
  name: string,
  cells: Cell[],
): readonly HTMLElement[] {
  const metric = run.run.metrics.findIndex((m) => m.name === name && m.tag === tag);
  return ends.map(({ title, of }) => {
    const isFirst = title === "last";
    if (metric < 0) return html("td", { class: isFirst ? "number first" : "number" }, "–");
    const value = html("span", { class: "value" });
    const epoch = html("span", { class: "at" });
    cells.push({ run, metric, of, value, epoch });
    return html("td", { class: isFirst ? "number first" : "number" }, value, " ", epoch);
  });
}

function valuesHead(runs: readonly ShownRun[]): HTMLElement {
  const titles = runs.flatMap(() =>
    ends.map(({ title }) =>
      html("th", { scope: "col", class: title === "last" ? "number first" : "number" }, title),
    ),
  );
  if (runs.length < 2)
    return html("thead", {}, html("tr", {}, html("th", { scope: "col" }, "metric"), ...titles));
  const groups = runs.map(({ run, number }) =>
    html(
      "th",
      { scope: "colgroup", colspan: ends.length, class: "first" },
      runBadge(number),
      html("span", { class: "run-name" }, run.name),
    ),
  );
  return html(
    "thead",
    {},
    html("tr", {}, html("th", { scope: "col", rowspan: 2 }, "metric"), ...groups),
    html("tr", {}, ...titles),
  );
}
