import type { ReportRun, ReportState } from "../report-data.ts";
import { breakable, html, setText } from "./elements.ts";
import { runBadge } from "./legend.ts";
import type { Model, ShownRun } from "./model.ts";
import { formatCount, formatSeconds, formatValue } from "./numbers.ts";
import { differingNames } from "./settings-section.ts";

interface Column {
  readonly title: string;
  readonly isNumber?: boolean;
  text(run: ReportRun): string;
}

/** Settings that differ between the runs have columns of their own if they are few and short. */
const MOST_SETTINGS = 4;
const LONGEST_SETTING = 20;
/** These show in the names of the runs. */
const NAMING = new Set(["experiment_name", "outputs_dir"]);

const states: Readonly<Record<ReportState, string>> = {
  running: "running",
  completed: "completed",
  stopped: "stopped early",
  diverged: "diverged",
  interrupted: "interrupted",
  failed: "failed",
  imported: "imported",
  killed: "killed",
  damaged: "damaged",
};

/** The runs: how they ended and how well; with several, switches that show and hide them in the charts. */
export function createRunsSection(model: Model): HTMLElement {
  const title = html("h2", { id: "runs-title" });
  const body = html("div", {
    class: "table-frame",
    tabindex: "0",
    role: "group",
    "aria-labelledby": "runs-title",
  });
  let rows: readonly { readonly key: string; refresh(): void }[] = [];

  const rebuild = (): void => {
    const focused = document.activeElement?.id ?? "";
    setText(title, model.runs.length === 1 ? "Run" : `${model.runs.length} runs`);
    const columns = columnsFor(model.runs);
    const built = model.runs.map((run) => buildRow(model, run, columns));
    rows = built;
    body.hidden = built.length === 0;
    body.replaceChildren(
      html(
        "table",
        { class: "runs", role: "table" },
        html("thead", { role: "rowgroup" }, headRow(columns)),
        html("tbody", { role: "rowgroup" }, ...built.map((row) => row.element)),
      ),
    );
    if (focused !== "" && document.activeElement === document.body)
      document.getElementById(focused)?.focus();
  };
  model.listen((change) => {
    if (change.kind === "structure") rebuild();
    else for (const row of rows) row.refresh();
  });
  rebuild();
  return html("section", { id: "runs", "aria-labelledby": "runs-title" }, title, body);
}

function columnsFor(runs: readonly ShownRun[]): readonly Column[] {
  const settings = differingNames(runs.map(({ run }) => run.settings));
  const isShort = (name: string): boolean =>
    !NAMING.has(name) &&
    runs.every(({ run }) => (run.settings[name] ?? "").length <= LONGEST_SETTING);
  const short = settings.filter(isShort);
  const shown = short.length <= MOST_SETTINGS ? short : [];
  const metrics = new Set(runs.map(({ run }) => run.score.metric).filter((name) => name !== ""));
  const [metric] = metrics;
  const isOne = metrics.size === 1;
  return [
    { title: "Model", text: (run) => run.experiment || "–" },
    ...shown.map((name) => ({ title: name, text: (run: ReportRun) => run.settings[name] ?? "–" })),
    ...(isOne ? [] : [{ title: "Score", text: (run: ReportRun) => run.score.metric || "–" }]),
    {
      title: isOne ? `${metric!}, last` : "Last",
      isNumber: true,
      text: (run) => formatValue(run.lastScore.value),
    },
    {
      title: "Best",
      isNumber: true,
      text: ({ bestScore }) =>
        bestScore.value === null
          ? "–"
          : `${formatValue(bestScore.value)} @ ${formatCount(bestScore.epoch)}`,
    },
    { title: "Epochs", isNumber: true, text: epochsText },
    {
      title: "Training time",
      isNumber: true,
      text: ({ seconds }) => (seconds === null ? "–" : formatSeconds(seconds)),
    },
    { title: "Parameters", isNumber: true, text: (run) => formatCount(run.parameters) },
    ...(shown.includes("random_seed")
      ? []
      : [{ title: "Seed", isNumber: true, text: (run: ReportRun) => String(run.seed ?? "–") }]),
  ];
}

function epochsText(run: ReportRun): string {
  if (run.plannedLastEpoch < run.firstEpoch) return "–";
  const done = Math.max(0, run.lastEpoch - run.firstEpoch + 1);
  const planned = run.plannedLastEpoch - run.firstEpoch + 1;
  return done === planned ? formatCount(done) : `${formatCount(done)} of ${formatCount(planned)}`;
}

function headRow(columns: readonly Column[]): HTMLElement {
  return html(
    "tr",
    { role: "row" },
    headCell("Run"),
    headCell("How it stands"),
    ...columns.map(({ title, isNumber }) => headCell(title, isNumber)),
  );
}

function headCell(title: string, isNumber = false): HTMLElement {
  return html(
    "th",
    { scope: "col", role: "columnheader", class: isNumber ? "number" : "" },
    breakable(title),
  );
}

function buildRow(
  model: Model,
  shown: ShownRun,
  columns: readonly Column[],
): { readonly key: string; readonly element: HTMLElement; refresh(): void } {
  const state = html("span", { class: "state" });
  const reason = html("span", { class: "reason" });
  const cells = columns.map((column) => ({ column, cell: html("span") }));
  const element = html(
    "tr",
    { role: "row" },
    html("th", { scope: "row", role: "rowheader" }, nameCell(model, shown)),
    html(
      "td",
      { role: "cell", "data-label": "How it stands", class: "how" },
      html("span", {}, state, " ", reason),
    ),
    ...cells.map(({ column, cell }) =>
      html(
        "td",
        { role: "cell", "data-label": column.title, class: column.isNumber ? "number" : "" },
        cell,
      ),
    ),
  );
  const refresh = (): void => {
    const { run } = shown;
    setText(state, states[run.state]);
    state.className = `state ${run.state}`;
    setText(reason, run.reason);
    element.classList.toggle("is-hidden", !shown.isShown);
    for (const { column, cell } of cells) setText(cell, column.text(run));
  };
  refresh();
  return { key: shown.run.key, element, refresh };
}

function nameCell(model: Model, shown: ShownRun): Node {
  const name = html("span", { class: "run-name" }, breakable(shown.run.name));
  if (model.runs.length === 1) return name;
  const id = `run-${shown.number}`;
  const box = html("input", { type: "checkbox", id });
  box.checked = shown.isShown;
  box.addEventListener("change", () => model.show(shown, box.checked));
  return html("label", { for: id, class: "run-switch" }, box, runBadge(shown.number), name);
}
