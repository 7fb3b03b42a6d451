import type { ReportRun } from "../report-data.ts";
import { html } from "./elements.ts";
import { runBadge } from "./legend.ts";
import type { Model, ShownRun } from "./model.ts";

type Texts = Readonly<Record<string, string>>;

/** Names that differ in any two of the tables, in order of first appearance. */
export function differingNames(tables: readonly Texts[]): readonly string[] {
  return allNames(tables).filter((name) => new Set(tables.map((table) => table[name])).size > 1);
}

function allNames(tables: readonly Texts[]): readonly string[] {
  return [...new Set(tables.flatMap((table) => Object.keys(table)))];
}

const parts: readonly { readonly title: string; of(run: ReportRun): Texts }[] = [
  { title: "Flags", of: (run) => run.settings },
  { title: "Data and model", of: (run) => run.facts },
  { title: "Environment", of: (run) => run.environment },
];

/** The configuration: what differs between the runs first, then everything. */
export function createSettingsSection(model: Model): HTMLElement {
  const body = html("div");
  const rebuild = (): void => {
    const open = new Set([...body.querySelectorAll("details[open]")].map((details) => details.id));
    const blocks = [
      ...(model.runs.length > 1 ? [differences(model.runs)] : []),
      ...everything(model.runs),
    ];
    body.replaceChildren(...blocks);
    for (const id of open) body.querySelector(`#${id}`)?.setAttribute("open", "");
  };
  model.listen((change) => {
    if (change.kind === "structure") rebuild();
  });
  rebuild();
  return html(
    "section",
    { id: "settings", "aria-labelledby": "settings-title" },
    html("h2", { id: "settings-title" }, "Configuration"),
    body,
  );
}

function differences(runs: readonly ShownRun[]): HTMLElement {
  const rows = parts.flatMap(({ of }) => {
    const tables = runs.map(({ run }) => of(run));
    return differingNames(tables).map((name) => ({ name, texts: tables.map((t) => t[name]) }));
  });
  if (rows.length === 0)
    return html("p", { class: "none" }, "The runs have the same configuration.");
  return html(
    "div",
    {},
    html("h3", { id: "differences-title" }, "What differs"),
    settingsTable("differences-title", runs, rows, "differences"),
  );
}

function everything(runs: readonly ShownRun[]): readonly HTMLElement[] {
  return parts.map(({ title, of }, i) => {
    const tables = runs.map(({ run }) => of(run));
    const differing = new Set(differingNames(tables));
    const rows = allNames(tables).map((name) => ({
      name,
      texts: differing.has(name) ? tables.map((table) => table[name]) : [tables[0]?.[name]],
    }));
    const id = `settings-${i}`;
    return html(
      "details",
      { id, class: "all-settings" },
      html("summary", { id: `${id}-title` }, `${title} (${rows.length})`),
      settingsTable(`${id}-title`, runs, rows, "all"),
    );
  });
}

interface Row {
  readonly name: string;
  /** One for each run, or one for all. */
  readonly texts: readonly (string | undefined)[];
}

function settingsTable(
  labelledBy: string,
  runs: readonly ShownRun[],
  rows: readonly Row[],
  kind: string,
): HTMLElement {
  const head = html(
    "tr",
    {},
    html("th", { scope: "col" }, "Name"),
    ...(runs.length === 1
      ? [html("th", { scope: "col" }, "Value")]
      : runs.map(({ run, number }) =>
          html(
            "th",
            { scope: "col" },
            runBadge(number),
            html("span", { class: "run-name" }, run.name),
          ),
        )),
  );
  const body = rows.map(({ name, texts }) =>
    html(
      "tr",
      { class: texts.length > 1 ? "differs" : "" },
      html("th", { scope: "row" }, name),
      ...texts.map((text) =>
        html("td", { colspan: texts.length === 1 ? Math.max(1, runs.length) : 1 }, text ?? "–"),
      ),
    ),
  );
  return html(
    "div",
    { class: "table-frame", tabindex: "0", role: "group", "aria-labelledby": labelledBy },
    html(
      "table",
      { class: `settings ${kind}` },
      html("thead", {}, head),
      html("tbody", {}, ...body),
    ),
  );
}
