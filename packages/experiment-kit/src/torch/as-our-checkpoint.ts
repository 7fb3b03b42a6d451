import type { ArrayFile } from "@implicit-rank/array-files";
import type { TrackedMetrics } from "../fit/metric-values.ts";
import { valuesForState } from "../run-folder/checkpoint-file.ts";
import type { Checkpoint } from "../run-folder/checkpoint-file.ts";
import type { TorchCheckpoint } from "./torch-checkpoint.ts";

/** A checkpoint of ours with what one of the PyTorch scripts holds. */
export function asOurCheckpoint(
  { epoch }: TorchCheckpoint,
  parts: {
    readonly experiment: string;
    readonly run: string;
    readonly metrics: TrackedMetrics;
    /** metrics.jsonl beside it, if there is one. */
    readonly written?: { readonly bytes: number; readonly sha256: string };
    readonly saved: ArrayFile;
  },
): Checkpoint {
  const { experiment, run, metrics, written, saved } = parts;
  return {
    state: {
      experiment,
      run,
      epoch,
      elapsedSeconds: 0,
      timesResumed: 0,
      metricsBytes: written?.bytes ?? 0,
      ...(written === undefined ? {} : { metricsSha256: written.sha256 }),
      stop: null,
      values: valuesForState(metrics),
      callbacks: {},
      retained: [{ epoch, score: null }],
    },
    model: saved,
    callbackArrays: {},
  };
}
