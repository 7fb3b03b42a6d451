import { appendFile, mkdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import type { MetricInfo } from "../experiment.ts";
import { plotFileNames } from "../plots/metric-panels.ts";
import { runPaths } from "../run-folder/files.ts";
import { createMetricsReader } from "../run-folder/metrics-reader.ts";
import type { MetricHistory, MetricSeries } from "../run-folder/metrics-reader.ts";
import { scalarRecord, versionRecord } from "./event-record.ts";

/** The time of day of an epoch, in seconds since 1970. */
export type WallClock = (epoch: number, seconds: number, history: MetricHistory) => number;

/** TensorBoard's copy of metrics.jsonl. */
export interface EventFiles {
  /** Removes what is there, so that the next update writes all of metrics.jsonl. */
  restart(): Promise<void>;
  /** Appends what metrics.jsonl has more than at the last update. */
  update(): Promise<void>;
}

/**
 * Event files of a run, one for each metric in `tensorboard/<metric>/` (lower case, blanks as `_`): as each
 * is a run of its own to TensorBoard, the metrics of one tag lie over one another in one chart. The files
 * hold nothing but what metrics.jsonl and the clock give, so they can be written anew at any time.
 */
export function createEventFiles(
  folder: string,
  metrics: readonly MetricInfo[],
  wallTime: WallClock,
): EventFiles {
  const target = runPaths(folder).tensorboard;
  const names = plotFileNames(metrics.map(({ name }) => name));
  const begun = Math.floor(Date.now() / 1000);
  const file = `events.out.tfevents.${begun}.${hostname()}.${process.pid}.0`;
  const reader = createMetricsReader(folder);
  const written = new Map<string, number>();

  const append = async (
    { name, tag = name }: MetricInfo,
    series: MetricSeries,
    history: MetricHistory,
    path: string,
  ): Promise<void> => {
    const first = written.get(name) ?? 0;
    const count = series.epochs.length;
    if (count === first) return;
    const records: Uint8Array[] = [];
    if (first === 0) {
      await mkdir(path, { recursive: true });
      records.push(versionRecord(begun));
    }
    let line = firstAtLeast(history.epochs, series.epochs[first]!);
    for (let i = first; i < count; i++) {
      const epoch = series.epochs[i]!;
      while (history.epochs[line]! < epoch) line++;
      const time = wallTime(epoch, history.seconds[line]!, history);
      records.push(scalarRecord(tag, epoch, series.values[i]!, time));
    }
    await appendFile(join(path, file), Buffer.concat(records));
    written.set(name, count);
  };

  return {
    async restart() {
      await rm(target, { recursive: true, force: true });
    },
    async update() {
      const history = await reader.read();
      for (const [i, metric] of metrics.entries()) {
        const series = history.series.get(metric.name);
        if (series !== undefined) await append(metric, series, history, join(target, names[i]!));
      }
    },
  };
}

/** The first place whose value is at least `bound`, by bisection. */
function firstAtLeast(sorted: Int32Array, bound: number): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (sorted[middle]! < bound) low = middle + 1;
    else high = middle;
  }
  return low;
}
