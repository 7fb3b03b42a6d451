import type { ArrayFile } from "@implicit-rank/array-files";
import type { Random } from "@implicit-rank/random";
import type { z } from "zod";
import type { Callback } from "./fit/callback.ts";
import type { RawFlags } from "./flags/parse-flags.ts";
import type { SharedFlags } from "./flags/shared-flags.ts";
import type { TorchCheckpoint } from "./torch/torch-checkpoint.ts";

/** A number that is tracked over the epochs. Metrics of one tag (default: the name) share a plot. */
export interface MetricInfo {
  readonly name: string;
  readonly tag?: string;
}

/** The metric that a run is judged by, and its direction. */
export interface ScoreInfo {
  readonly metric: string;
  readonly source: "train" | "validation";
  readonly largest: boolean;
}

/** What a run depends on besides its flags; recorded in `config.json` and compared on resume. */
export interface Provenance {
  readonly backend?: string;
  readonly threads?: number;
  /** SHA-256 of the data set's content; a run is never resumed on other data. */
  readonly datasetHash?: string;
  readonly versions?: Readonly<Record<string, string>>;
}

/**
 * A model that is ready to train on its data. The kit calls `trainBatch` for every batch of every
 * epoch, `validate` after the epochs that are validated, and `save`/`restore` around checkpoints.
 */
export interface Trainable {
  /** Logged at the start as "Additional Metadata". */
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly provenance?: Provenance;
  /**
   * Flags that were settled when the run was prepared (`threads` 0, all cores, is 8 on this machine):
   * `config.json` holds these values, so that a resume uses them too.
   */
  readonly settledFlags?: Readonly<Record<string, unknown>>;
  readonly numParameters: number;
  readonly trainMetrics: readonly MetricInfo[];
  readonly validationMetrics: readonly MetricInfo[];
  readonly batchesPerEpoch: number;
  /** Called before the first batch of an epoch (0-based), for example to shuffle. */
  startEpoch?(epoch: number): void;
  /**
   * One update. Fills `values` in the order of `trainMetrics` with the metrics of this batch *before*
   * the update, and returns the samples in the batch (its weight in the epoch's average).
   */
  trainBatch(batch: number, values: Float64Array): number | Promise<number>;
  /**
   * Fills `values` in the order of `validationMetrics`; the model is as after the epoch's updates. A long
   * validation calls `onProgress` now and then, so that it is seen to go on.
   */
  validate(values: Float64Array, onProgress: ValidationProgress): void | Promise<void>;
  /** Everything that later epochs depend on: parameters, optimizer state, generator state. */
  save(): ArrayFile | Promise<ArrayFile>;
  /** The inverse of `save`: after it, training goes on with the same bits. */
  restore(saved: ArrayFile): void | Promise<void>;
  /** Present if the learning rate can be changed while training (schedules need it). */
  readonly learningRate?: LearningRate;
  /** Gives back what training held: threads, memory of a backend, open files. */
  dispose?(): void | Promise<void>;
}

/** Told how many of the batches of a validation are done. */
export type ValidationProgress = (done: number, total: number) => void;

/** The current learning rate. `Trainable.save` need not keep it: schedules restore it themselves. */
export interface LearningRate {
  /** The rate of the next step. */
  get(): number;
  /** Takes effect at the next step. */
  set(value: number): void;
}

/** A condition that ends training. Checks happen when `(epoch + 1) % validate_every == 0`. */
export type StopRule =
  /** Train metric below `tolerance` at more than `patience` checks in a row. */
  | {
      readonly kind: "zero-train-loss";
      readonly metric: string;
      readonly tolerance: number;
      readonly patience: number;
    }
  /** Metric ≥ `threshold` (`largest`) or ≤ it, at more than `patience` checks in a row. */
  | {
      readonly kind: "metric-value";
      readonly metric: string;
      readonly threshold: number;
      readonly largest: boolean;
      readonly patience: number;
    };

/** What the kit gives to an experiment that prepares a run. */
export interface PrepareContext {
  /** Seeded by `--random_seed`; take it (or forks of it) for every random choice. */
  readonly random: Random;
  /** A line for the run's log. */
  log(line: string): void;
}

/** Where a run writes; for callbacks that add files of their own. */
export interface RunFiles {
  readonly folder: string;
  /** A line for the run's log. */
  log(line: string): void;
}

/**
 * One kind of experiment. `Config` is the parsed value of `flags`; the shared flags of every run
 * (`--epochs`, `--validate_every`, …) are added by the kit.
 *
 * A metric that becomes NaN or infinite always stops the run (exit code 1), without a rule.
 */
export interface Experiment<Config = unknown> {
  readonly name: string;
  readonly flags: z.ZodObject;
  readonly defaultScore: ScoreInfo;
  /**
   * Makes everything that a run trains: data, model, optimizer. Called once, before the first epoch.
   *
   * @throws an error with an `exitCode` for what the user can put right.
   */
  prepare(config: Config & SharedFlags, context: PrepareContext): Promise<Trainable>;
  /** Rules that end a run early, as its flags ask for. */
  stops?(config: Config & SharedFlags): readonly StopRule[];
  /** Further callbacks by name; they run after the kit's stop rules and before a checkpoint is written. */
  callbacks?(
    config: Config & SharedFlags,
    trainable: Trainable,
    files: RunFiles,
  ): Readonly<Record<string, Callback>>;
  /** How checkpoints of the PyTorch scripts become ones of this experiment, if they can. */
  readonly torch?: TorchImport;
}

/** Takes over checkpoints of the PyTorch scripts. */
export interface TorchImport {
  /** Whether a model (tensors by PyTorch's names) is one of this experiment. */
  recognizes(model: TorchCheckpoint["model"]): boolean;
  /**
   * What a checkpoint says in the terms of this experiment.
   *
   * @param flags those that are known, or all of the run that starts from it
   * @throws an error for the user if the checkpoint is damaged, contradicts `flags`, or they do not tell enough
   */
  convert(checkpoint: TorchCheckpoint, flags: RawFlags): TorchConversion;
}

/** A checkpoint of the PyTorch scripts as an experiment understands it. */
export interface TorchConversion {
  /** Flags that the checkpoint tells. */
  readonly flags: RawFlags;
  /** Flags of the scripts that it does not tell. */
  readonly untold: readonly string[];
  /** What `Trainable.save` would give; generator states, which the scripts do not save, may be missing. */
  readonly saved: ArrayFile;
  readonly numParameters: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** Tags of metrics by name, where they have one. */
  readonly tags: ReadonlyMap<string, string>;
  /** Why a metric that is computed anew may rightly differ from what the scripts stored. */
  mayDiffer(metric: string): string | undefined;
}
