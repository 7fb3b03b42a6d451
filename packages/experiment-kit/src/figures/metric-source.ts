import { stat } from "node:fs/promises";
import { basename, dirname, resolve } from "node:path";
import { readTorchFile } from "@implicit-rank/array-files";
import { errorCode, fileError, MisuseError } from "../errors.ts";
import { findRunFolders } from "../report/find-run-folders.ts";
import { readCheckpoint } from "../run-folder/checkpoint-file.ts";
import { runPaths } from "../run-folder/files.ts";
import { readMetrics } from "../run-folder/metrics-reader.ts";
import type { MetricSeries } from "../run-folder/metrics-reader.ts";
import { expandPattern } from "./expand-pattern.ts";
import { readTorchHistory } from "./torch-history.ts";

/** The recorded metrics of one run. */
export interface RunMetrics {
  /** The run folder, or the file that was read. */
  readonly path: string;
  readonly series: ReadonlyMap<string, MetricSeries>;
}

/** Reads every run only once, however many panels show it. */
export interface MetricSources {
  /**
   * The runs that a path stands for: a run folder; a checkpoint in it (up to its epoch); its metrics.jsonl;
   * a checkpoint of the PyTorch scripts; a folder with runs below it; or a pattern such as `outputs/mf_*`.
   *
   * @throws MisuseError if there is none; RunError or ArrayFileError if a file is damaged.
   */
  read(path: string): Promise<readonly RunMetrics[]>;
}

/** Reads the metrics of runs and of TensorBoard folders, each only once. */
export function createMetricSources(): MetricSources {
  const runs = new Map<string, Promise<RunMetrics>>();
  const once = (path: string, read: () => Promise<RunMetrics>): Promise<RunMetrics> => {
    const key = resolve(path);
    const known = runs.get(key) ?? read();
    runs.set(key, known);
    return known;
  };
  const readRun = (folder: string): Promise<RunMetrics> =>
    once(folder, async () => ({ path: folder, series: (await readMetrics(folder)).series }));
  const readPath = async (
    path: string,
    kind: "folder" | "file",
  ): Promise<readonly RunMetrics[]> => {
    if (kind === "file") {
      if (basename(path) === "metrics.jsonl") return [await readRun(dirname(path))];
      return [await once(path, () => readCheckpointFile(path, readRun))];
    }
    // A run that lost its config.json can still be drawn.
    const folders =
      (await kindOf(runPaths(path).metrics)) === "file" ? [path] : await findRunFolders(path);
    if (folders.length === 0)
      throw new MisuseError(`${path}: is no run folder and has none below it; give one that does`);
    return Promise.all(folders.map(readRun));
  };
  return {
    async read(path) {
      const kind = await kindOf(path);
      if (kind !== undefined) return readPath(path, kind);
      const found: RunMetrics[] = [];
      for (const match of await expandPattern(path))
        found.push(...(await readPath(match, (await kindOf(match)) ?? "file")));
      return [...new Set(found)];
    },
  };
}

async function kindOf(path: string): Promise<"folder" | "file" | undefined> {
  try {
    return (await stat(path)).isDirectory() ? "folder" : "file";
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
    throw fileError(path, "be read", error);
  }
}

/** The history up to a checkpoint of ours, or the history in one of the PyTorch scripts. */
async function readCheckpointFile(
  path: string,
  readRun: (folder: string) => Promise<RunMetrics>,
): Promise<RunMetrics> {
  if (/\.(ckpt|pt|pth)$/.test(path))
    return { path, series: readTorchHistory(await readTorchFile(path), path) };
  if (!path.endsWith(".safetensors"))
    throw new MisuseError(
      `${path}: is none of a run folder, metrics.jsonl, a checkpoint (.safetensors) and one of the PyTorch scripts (.ckpt, .pt)`,
    );
  const { state } = await readCheckpoint(path);
  const { series } = await readRun(dirname(dirname(path)));
  const until = [...series].map(([name, metric]) => {
    const end = metric.epochs.findIndex((epoch) => epoch > state.epoch);
    const length = end < 0 ? metric.epochs.length : end;
    const { epochs, values } = metric;
    return [
      name,
      { name, epochs: epochs.subarray(0, length), values: values.subarray(0, length) },
    ] as const;
  });
  return { path, series: new Map(until) };
}
