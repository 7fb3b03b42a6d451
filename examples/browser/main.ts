import { drawLosses, drawNorms } from "./charts.ts";
import type { Report, Request } from "./messages.ts";
import { defaultSettings, problemWith, type Settings } from "./settings.ts";
import type { Curves, TrainingFacts } from "./training-run.ts";
import TrainingWorker from "./training.worker.ts?worker&inline";

const byId = <Kind extends HTMLElement>(id: string): Kind => document.getElementById(id) as Kind;
const form = byId<HTMLFormElement>("settings");
const startButton = byId<HTMLButtonElement>("start");
const pace = byId<HTMLSelectElement>("pace");
const logarithmic = byId<HTMLInputElement>("logarithmic");
const charts = { norms: byId("norms"), losses: byId("losses") };

const nothingYet: Curves = { iterations: [], observedLoss: [], unseenLoss: [], norms: [] };
let facts: TrainingFacts | undefined;
let curves = nothingYet;
let state: "ready" | "running" | "ended" | "impossible" = "ready";
let risenBefore = 0;

const worker = new TrainingWorker();
const send = (request: Request): void => {
  worker.postMessage(request);
};

function readSettings(): Settings {
  const fields = new FormData(form);
  const numbers = Object.keys(defaultSettings).map((name) => [name, Number(fields.get(name))]);
  return Object.fromEntries(numbers) as Settings;
}

function announce(text: string): void {
  byId("announcement").textContent = text;
}

/** The smallest norm of a component that counts as risen. */
const threshold = (): number => Math.min(...(facts?.targetNorms ?? [])) / 2;

function showNumbers(iteration: number, stepsPerSecond: number): void {
  const exponential = (values: readonly number[]): string =>
    values.length > 0 ? values.at(-1)!.toExponential(1) : "–";
  const risen = curves.norms.at(-1)?.filter((norm) => norm > threshold()).length ?? 0;
  byId("iteration").textContent = iteration.toLocaleString("en");
  byId("speed").textContent =
    stepsPerSecond > 0 ? Math.round(stepsPerSecond).toLocaleString("en") : "–";
  byId("observed-loss").textContent = exponential(curves.observedLoss);
  byId("unseen-loss").textContent = exponential(curves.unseenLoss);
  byId("risen").textContent = `${risen} (target ${facts?.targetNorms.length ?? "–"})`;
  if (risen > risenBefore) announce(`Component ${risen} has risen by iteration ${iteration}.`);
  risenBefore = risen;
}

/** What a chart shows is told by the element around it; its numbers are above it in the page. */
function place(container: HTMLElement, draw: (width: number) => Element): void {
  const chart = draw(Math.max(240, container.clientWidth));
  chart.setAttribute("aria-hidden", "true");
  container.replaceChildren(chart);
}

function showCharts(): void {
  place(charts.norms, (width) =>
    drawNorms(curves, facts?.targetNorms ?? [], threshold(), {
      width,
      logarithmic: logarithmic.checked,
    }),
  );
  place(charts.losses, (width) => drawLosses(curves, { width, logarithmic: true }));
}

/** Drawn at most once a frame, and once a second for those who want little to move. */
let drawing = false;
function scheduleCharts(): void {
  if (drawing) return;
  drawing = true;
  const still = state === "running" && matchMedia("(prefers-reduced-motion: reduce)").matches;
  const draw = (): void => {
    drawing = false;
    showCharts();
  };
  if (still) setTimeout(draw, 1000);
  else requestAnimationFrame(draw);
}

/** The first button says what it does next; it stays where the focus of the keyboard is. */
function setState(next: typeof state): void {
  state = next;
  const labels = { ready: "Start", running: "Pause", ended: "Run again", impossible: "Start" };
  startButton.textContent = labels[next];
  startButton.disabled = next === "impossible";
}

/** A new problem with the settings of the form; goes on running if it was, unless they are impossible. */
function reset(): void {
  const settings = readSettings();
  const valid = form.checkValidity();
  const problem = valid ? problemWith(settings) : "A number is missing or out of its range.";
  byId("problem").textContent = problem ?? "";
  const goOn = state === "running" && problem === undefined;
  send({ kind: "pause" });
  facts = undefined;
  curves = nothingYet;
  risenBefore = 0;
  setState(problem === undefined ? "ready" : "impossible");
  showNumbers(0, 0);
  byId("facts").textContent = "";
  scheduleCharts();
  announce("");
  if (problem !== undefined) return;
  send({ kind: "reset", settings });
  if (goOn) start();
}

function start(): void {
  send({ kind: "start", stepsPerSecond: Number(pace.value) });
  setState("running");
}

function showEnd(report: Extract<Report, { kind: "progress" }>): void {
  setState("ended");
  const iterations = `${report.iteration.toLocaleString("en")} iterations`;
  announce(
    {
      converged: `The observed entries are fitted after ${iterations}.`,
      diverged: `Diverged after ${iterations}: choose a smaller learning rate.`,
      "given up": `Not fitted after ${iterations}; that is enough for a page.`,
    }[report.ended!],
  );
}

worker.addEventListener("message", ({ data }: MessageEvent<Report>) => {
  switch (data.kind) {
    case "ready":
      facts = data.facts;
      byId("facts").textContent =
        `The factorization has ${facts.parameters.toLocaleString("en")} parameters and ${facts.observations.toLocaleString("en")} observations (kernels: ${facts.backend}).`;
      showNumbers(0, 0);
      return scheduleCharts();
    case "progress":
      // What was on its way when the problem was reset is of another one.
      if (facts === undefined) return;
      curves = data.curves;
      showNumbers(data.iteration, data.stepsPerSecond);
      if (data.ended !== undefined) showEnd(data);
      return scheduleCharts();
    case "error":
      setState("impossible");
      byId("problem").textContent = data.message;
  }
});

startButton.addEventListener("click", () => {
  if (state === "running") {
    send({ kind: "pause" });
    return setState("ready");
  }
  if (state === "ended") reset();
  start();
});
byId("reset").addEventListener("click", () => {
  setState("ready");
  reset();
});
pace.addEventListener("change", () => {
  if (state === "running") start();
});
form.addEventListener("change", reset);
form.addEventListener("submit", (event) => {
  event.preventDefault();
});
logarithmic.addEventListener("change", scheduleCharts);
new ResizeObserver(scheduleCharts).observe(charts.norms);

for (const [name, value] of Object.entries(defaultSettings))
  (form.elements.namedItem(name) as HTMLInputElement).value = String(value);
reset();
