import { MisuseError } from "../errors.ts";
import type { LearningRate, Trainable } from "../experiment.ts";
import type { Callback, Fit } from "../fit/callback.ts";
import type { MetricReference } from "../fit/metric-values.ts";
import { jsonField, numberFromJson, numberToJson } from "../json.ts";
import { isCheckEpoch } from "./check-epoch.ts";

/** The learning rate after `epochs` finished epochs, from the one that training started with. */
export type LearningRateSchedule = (epochs: number, initialRate: number) => number;

/** Multiplies the rate by `factor` after every `stepSize` epochs. */
export function stepSchedule(stepSize: number, factor: number): LearningRateSchedule {
  return (epochs, initialRate) => initialRate * factor ** Math.floor(epochs / stepSize);
}

/** Multiplies the rate by `factor` after every epoch. */
export function exponentialSchedule(factor: number): LearningRateSchedule {
  return (epochs, initialRate) => initialRate * factor ** epochs;
}

/** From the initial rate to `minimum` over `period` epochs along half a cosine, then `minimum`. */
export function cosineSchedule(period: number, minimum = 0): LearningRateSchedule {
  return (epochs, initialRate) =>
    minimum +
    ((initialRate - minimum) * (1 + Math.cos((Math.PI * Math.min(epochs, period)) / period))) / 2;
}

/** Sets the learning rate by a schedule after the train phase of every epoch. */
export function learningRateScheduler(schedule: LearningRateSchedule): Callback {
  let initialRate = Number.NaN;
  let rate = Number.NaN;
  return {
    onFitInitialization(fit: Fit) {
      const learningRate = requireLearningRate(fit.trainable);
      if (Number.isNaN(initialRate)) initialRate = learningRate.get();
      else learningRate.set(rate);
    },
    onEpochTrainEnd(fit: Fit) {
      rate = schedule(fit.epoch + 1, initialRate);
      fit.trainable.learningRate!.set(rate);
    },
    state: () => ({ initialRate: numberToJson(initialRate), rate: numberToJson(rate) }),
    restoreState(state) {
      initialRate = numberFromJson(jsonField(state, "initialRate"));
      rate = numberFromJson(jsonField(state, "rate"));
    },
  };
}

/** Of `reduceLearningRateOnPlateau`: factor 0.1, patience 10, threshold 1e-4, mode "abs" and minRate 0 unless told. */
export interface ReduceOnPlateauOptions {
  readonly metric: MetricReference;
  readonly largest: boolean;
  readonly factor?: number;
  readonly patience?: number;
  readonly threshold?: number;
  /** An improvement is a change by `threshold` ("abs") or by `threshold` times the best ("rel"). */
  readonly mode?: "abs" | "rel";
  readonly minRate?: number;
}

/** Multiplies the rate by `factor` when the metric has not improved at more than `patience` checks in a row. */
export function reduceLearningRateOnPlateau(options: ReduceOnPlateauOptions): Callback {
  const {
    metric,
    largest,
    factor = 0.1,
    patience = 10,
    threshold = 1e-4,
    mode = "abs",
    minRate = 0,
  } = options;
  const { group, index } = metric;
  let best = largest ? -Infinity : Infinity;
  let withoutImprovement = 0;
  let rate = Number.NaN;

  const improves = (value: number): boolean => {
    if (!Number.isFinite(best)) return Number.isFinite(value);
    const margin = mode === "abs" ? threshold : threshold * Math.abs(best);
    return largest ? value > best + margin : value < best - margin;
  };
  return {
    onFitInitialization(fit: Fit) {
      const learningRate = requireLearningRate(fit.trainable);
      if (!Number.isNaN(rate)) learningRate.set(rate);
      rate = learningRate.get();
    },
    onEpochEnd(fit: Fit) {
      if (!isCheckEpoch(fit, 0)) return;
      const value = group.values[index]!;
      if (improves(value)) {
        best = value;
        withoutImprovement = 0;
        return;
      }
      withoutImprovement++;
      if (withoutImprovement <= patience) return;
      withoutImprovement = 0;
      rate = Math.max(rate * factor, minRate);
      fit.trainable.learningRate!.set(rate);
    },
    state: () => ({ best: numberToJson(best), withoutImprovement, rate: numberToJson(rate) }),
    restoreState(state) {
      best = numberFromJson(jsonField(state, "best"));
      withoutImprovement = numberFromJson(jsonField(state, "withoutImprovement"));
      rate = numberFromJson(jsonField(state, "rate"));
    },
  };
}

function requireLearningRate(trainable: Trainable): LearningRate {
  if (trainable.learningRate !== undefined) return trainable.learningRate;
  throw new MisuseError(
    "a learning-rate schedule needs an experiment whose learning rate can be changed",
  );
}
