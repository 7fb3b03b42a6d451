/** Trains beside the page, which stays responsive: in slices, between which requests are heard. */
import type { Report, Request } from "./messages.ts";
import type { Settings } from "./settings.ts";
import { startTraining, type TrainingRun } from "./training-run.ts";

const sliceMilliseconds = 25;
const reportMilliseconds = 120;

let run: TrainingRun | undefined;
let pace = 0;
let slices: ReturnType<typeof setInterval> | undefined;
let lastSlice = 0;
let lastReport = { time: 0, iteration: 0 };
/** Steps that the pace allows and that were not done yet. */
let allowance = 0;

const send = (report: Report): void => {
  postMessage(report);
};

function reportProgress(): void {
  if (run === undefined) return;
  const now = performance.now();
  const seconds = (now - lastReport.time) / 1000;
  const paused = slices === undefined && run.ended === undefined;
  const stepsPerSecond =
    paused || seconds === 0 ? 0 : (run.iteration - lastReport.iteration) / seconds;
  lastReport = { time: now, iteration: run.iteration };
  const { iteration, ended } = run;
  send({ kind: "progress", iteration, curves: run.curves(), stepsPerSecond, ended });
}

function trainSlice(): void {
  if (run === undefined) return;
  const now = performance.now();
  // After a pause of the whole page, such as in a tab in the background, nothing has to be caught up.
  allowance += Math.min(pace * ((now - lastSlice) / 1000), Math.max(1, pace / 10));
  lastSlice = now;
  const steps = Math.floor(allowance);
  allowance = Number.isFinite(allowance) ? allowance - steps : 0;
  run.train(steps, now + sliceMilliseconds * 0.8);
  if (run.ended !== undefined) pause();
  if (run.ended !== undefined || now - lastReport.time > reportMilliseconds) reportProgress();
}

function start(): void {
  pause();
  allowance = 0;
  lastSlice = performance.now();
  lastReport = { time: lastSlice, iteration: run?.iteration ?? 0 };
  slices = setInterval(trainSlice, sliceMilliseconds);
}

function pause(): void {
  clearInterval(slices);
  slices = undefined;
}

async function reset(settings: Settings): Promise<void> {
  pause();
  run?.dispose();
  run = undefined;
  run = await startTraining(settings);
  send({ kind: "ready", facts: run.facts });
}

async function answer(request: Request): Promise<void> {
  switch (request.kind) {
    case "reset":
      return reset(request.settings);
    case "start":
      pace = request.stepsPerSecond;
      return start();
    case "pause":
      pause();
      return reportProgress();
  }
}

// One request after the other: compiling takes a moment, and a second reset must not overtake the first.
let answered = Promise.resolve();
addEventListener("message", ({ data }: MessageEvent<Request>) => {
  answered = answered
    .then(() => answer(data))
    .catch((error: unknown) => {
      send({ kind: "error", message: error instanceof Error ? error.message : String(error) });
    });
});
