import type { MetricInfo } from "../experiment.ts";
import { createMetricValues, METRIC_SOURCES } from "../fit/metric-values.ts";
import type { TrackedMetrics } from "../fit/metric-values.ts";
import { openMetricsWriter } from "../run-folder/metrics-writer.ts";
import type { TorchCheckpoint, TorchTrackedValue } from "./torch-checkpoint.ts";

/** The metrics of a checkpoint of the PyTorch scripts, with their last values. */
export function lastMetrics(
  { metrics }: TorchCheckpoint,
  tags: ReadonlyMap<string, string>,
): TrackedMetrics {
  const tracked = (values: readonly TorchTrackedValue[]): TrackedMetrics["train"] => {
    const group = createMetricValues(values.map(({ name }) => infoOf(name, tags)));
    values.forEach(({ last }, i) => {
      if (last === null) return;
      group.values[i] = last.value;
      group.epochs[i] = last.epoch;
    });
    return group;
  };
  return {
    train: tracked(metrics.train),
    validation: tracked(metrics.validation),
    extra: tracked(metrics.extra),
  };
}

function infoOf(name: string, tags: ReadonlyMap<string, string>): MetricInfo {
  const tag = tags.get(name);
  return tag === undefined ? { name } : { name, tag };
}

/**
 * Writes the histories in a checkpoint of the PyTorch scripts as metrics.jsonl, a line for each epoch with a value.
 * They do not tell the time.
 *
 * @returns the length of the file and its SHA-256.
 * @throws RunError if the file cannot be written.
 */
export function writeHistory(
  path: string,
  checkpoint: TorchCheckpoint,
): { readonly bytes: number; readonly sha256: string } {
  const metrics = lastMetrics(checkpoint, new Map());
  const places = METRIC_SOURCES.flatMap((source) =>
    checkpoint.metrics[source].map((history, index) => ({
      history,
      index,
      group: metrics[source],
      next: 0,
    })),
  );
  const epochs = new Set(places.flatMap(({ history }) => [...history.epochs]));
  const writer = openMetricsWriter(path, metrics);
  try {
    for (const epoch of [...epochs].sort((a, b) => a - b)) {
      for (const place of places) {
        const { history, group, index } = place;
        // Every value's epoch is set anew, lest the last values count as this epoch's.
        group.epochs[index] = -1;
        if (history.epochs[place.next] !== epoch) continue;
        group.values[index] = history.values[place.next]!;
        group.epochs[index] = epoch;
        place.next++;
      }
      writer.append(epoch, Number.NaN);
    }
    writer.flush({ durable: true });
    return { bytes: writer.bytes, sha256: writer.sha256() };
  } finally {
    writer.close();
  }
}
