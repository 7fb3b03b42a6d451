import type { Settings } from "./settings.ts";
import type { Curves, TrainingFacts, TrainingRun } from "./training-run.ts";

/** From the page to its worker. */
export type Request =
  | { readonly kind: "reset"; readonly settings: Settings }
  /** Train at most this many steps a second, Infinity for as many as possible. */
  | { readonly kind: "start"; readonly stepsPerSecond: number }
  | { readonly kind: "pause" };

/** From the worker to the page. */
export type Report =
  | { readonly kind: "ready"; readonly facts: TrainingFacts }
  | {
      readonly kind: "progress";
      readonly iteration: number;
      readonly curves: Curves;
      /** Of the time since the last report; 0 while paused. */
      readonly stepsPerSecond: number;
      readonly ended: TrainingRun["ended"];
    }
  | { readonly kind: "error"; readonly message: string };
