import type { ArrayFile } from "@implicit-rank/array-files";
import type { MetricInfo, Trainable } from "../experiment.ts";
import type { Json } from "../json.ts";
import type { TrackedMetrics } from "./metric-values.ts";
import type { StopRequest } from "./stop-request.ts";

/** The state of a fit that callbacks see. One object, updated in place. */
export interface Fit {
  readonly trainable: Trainable;
  readonly metrics: TrackedMetrics;
  readonly validateEvery: number;
  /** The first and the last epoch (0-based, inclusive) that are scheduled. */
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  /** The current epoch; before the first, `firstEpoch - 1`. */
  readonly epoch: number;
  /** Metrics of the last batch, in the order of `trainable.trainMetrics`. */
  readonly batchValues: Float64Array;
  /** Whether the current epoch has been validated. */
  readonly validated: boolean;
  /** Why training ends, once it does. */
  readonly stop: StopRequest | undefined;
  /** `performance.now()` at the end of the last batch or epoch: a clock that costs nothing. */
  readonly now: number;
  /** Seconds of training, those before a resume included. */
  elapsedSeconds(): number;
}

/**
 * Hooks into a fit, all optional. Order: `onFitInitialization`, `onFitStart`, for every epoch
 * (`onEpochStart`, `onEpochTrainStart`, for every batch (`onTrainBatchStart`, `onTrainBatchEnd`),
 * `onEpochTrainEnd`, if validated (`onEpochValidationStart`, `onValidationProgress`,
 * `onEpochValidationEnd`),
 * `onEpochTrainAndValidationEnd`, `onEpochEnd`), `onFitEnd`, `onFitTermination`.
 *
 * To end training, throw a `StopRequest`: from a train hook the validation is skipped and the epoch-end
 * hooks still run; from an epoch-end hook the later callbacks of that hook are skipped. Any other error
 * ends the fit without `onFitEnd`. Both are announced by `onException`; `onFitTermination` always runs.
 *
 * Hooks run for every epoch, possibly every 150 µs: allocate nothing there and return nothing (or a
 * promise only when there is something to wait for).
 */
export interface Callback {
  /** Metrics that this callback adds; it writes them to the arrays that `onFitInitialization` finds. */
  readonly metrics?: readonly MetricInfo[];
  /** First of all; states of a checkpoint have been restored by then. */
  onFitInitialization?(fit: Fit): HookResult;
  /** Before the first epoch. */
  onFitStart?(fit: Fit): HookResult;
  /** Before each epoch. */
  onEpochStart?(fit: Fit): HookResult;
  /** Before the training of an epoch. */
  onEpochTrainStart?(fit: Fit): HookResult;
  /** Before a batch; batches count from 0 in each epoch. */
  onTrainBatchStart?(fit: Fit, batch: number): HookResult;
  /** After the update of a batch. */
  onTrainBatchEnd?(fit: Fit, batch: number): HookResult;
  /** After the training of an epoch. */
  onEpochTrainEnd?(fit: Fit): HookResult;
  /** Before a validation. */
  onEpochValidationStart?(fit: Fit): HookResult;
  /** Within a long validation; cannot be awaited. */
  onValidationProgress?(fit: Fit, done: number, total: number): void;
  /** After a validation, when its metrics are known. */
  onEpochValidationEnd?(fit: Fit): HookResult;
  /** After training and, if there was one, validation. */
  onEpochTrainAndValidationEnd?(fit: Fit): HookResult;
  /** Last in each epoch, before its checkpoint is written. */
  onEpochEnd?(fit: Fit): HookResult;
  /** When a `StopRequest` ends training, or an error, which is thrown on afterwards. */
  onException?(fit: Fit, error: unknown): HookResult;
  /** After the last epoch or a stop; not after an error. */
  onFitEnd?(fit: Fit): HookResult;
  /** Last of all, whether there was an error or not. */
  onFitTermination?(fit: Fit): HookResult;
  /** Counters and the like; kept in checkpoints under the callback's name. */
  state?(): Json;
  /** Takes back what `state` gave. */
  restoreState?(state: Json): void;
  /** Arrays to keep in checkpoints (`undefined`: none yet). */
  arrays?(): ArrayFile | undefined;
  /** Takes back what `arrays` gave. */
  restoreArrays?(saved: ArrayFile): void;
}

/** A hook may take its time: it is awaited. */
export type HookResult = void | Promise<void>;
