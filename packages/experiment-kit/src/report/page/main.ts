import "./page.css";
import { createChartsSection } from "./charts-section.ts";
import { unpackContent } from "./content.ts";
import { html, setText } from "./elements.ts";
import { followServer } from "./live-feed.ts";
import type { Connection } from "./live-feed.ts";
import { createModel } from "./model.ts";
import type { Model } from "./model.ts";
import { formatTime } from "./numbers.ts";
import { openForPrinting } from "./print.ts";
import { createRunsSection } from "./runs-section.ts";
import { createSettingsSection } from "./settings-section.ts";
import { createValuesSection } from "./values-section.ts";
import { createView } from "./view-state.ts";

openForPrinting();
const root = document.getElementById("page")!;
const data = document.getElementById("data")!.textContent;

if (root.dataset["mode"] === "live") showLive();
else void showReport();

async function showReport(): Promise<void> {
  try {
    const { content, curves } = await unpackContent(data);
    const model = createModel();
    content.runs.forEach((run, i) => model.put(run, curves[i]!));
    const subtitle = `Report of implicit-rank, written ${formatTime(content.written)}`;
    show(model, content.title, html("span", {}, subtitle));
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    root.replaceChildren(
      html(
        "p",
        { class: "none", role: "alert" },
        `The report cannot be shown: ${problem}. It may be damaged, or the browser older than 2023.`,
      ),
    );
  }
}

const connectionTexts: Readonly<Record<Connection, string>> = {
  live: "live",
  lost: "connection lost, trying again …",
  ended: "watch has ended; trying again …",
};

function showLive(): void {
  const model = createModel();
  const chip = html("span", { class: "connection", role: "status" }, "connecting …");
  const title = show(model, "Runs", html("span", {}, "implicit-rank watch: ", chip));
  followServer({
    model,
    onConnection(connection) {
      setText(chip, connectionTexts[connection]);
      chip.className = `connection ${connection}`;
    },
    onTitle(text) {
      setText(title, text);
      document.title = `${text} · implicit-rank`;
    },
  });
}

/** Builds the page and returns its title element. */
function show(model: Model, title: string, subtitle: HTMLElement): HTMLElement {
  const view = createView();
  const heading = html("h1", {}, title);
  const links = [
    ["runs", "Runs"],
    ["charts", "Metrics"],
    ["settings", "Configuration"],
    ["values", "Values"],
  ].map(([id, text]) => html("a", { href: `#${id!}` }, text!));
  root.replaceChildren(
    html(
      "header",
      { class: "top" },
      html("div", {}, heading, html("p", { class: "subtitle" }, subtitle)),
      html("nav", { "aria-label": "Sections" }, ...links),
    ),
    html(
      "main",
      {},
      createRunsSection(model),
      createChartsSection(model, view),
      createSettingsSection(model),
      createValuesSection(model, view),
    ),
  );
  return heading;
}
