import { access, readdir } from "node:fs/promises";
import { join } from "node:path";
import { listRuns, readMetrics, type RunInfo } from "@implicit-rank/experiment-kit";
import { UsageError } from "../errors.ts";

/** How far a run has come and how well, from its summary or, without one, from its metrics. */
export interface RunProgress {
  readonly epochsDone: number;
  readonly epochsPlanned: number;
  readonly score: number | null;
}

/** The runs in a folder and in all folders below it. */
export async function findRuns(folder: string): Promise<readonly RunInfo[]> {
  await access(folder).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(
      `${folder}: cannot be listed (${error.code}); give the folder that runs are below`,
    );
  });
  const runs = [...(await listRuns(folder))];
  const runFolders = new Set(runs.map((run) => run.folder));
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    const isPassed = entry.name.startsWith(".") || entry.name === "node_modules";
    if (!entry.isDirectory() || isPassed || runFolders.has(path)) continue;
    runs.push(...(await findRuns(path)));
  }
  return runs;
}

export async function readProgress(run: RunInfo): Promise<RunProgress> {
  const record = run.config?.run;
  if (record === undefined) return { epochsDone: 0, epochsPlanned: 0, score: null };
  const epochsPlanned = record.last_epoch - record.first_epoch + 1;
  if (run.summary !== undefined) {
    const { last_epoch, score } = run.summary;
    return { epochsDone: last_epoch - record.first_epoch + 1, epochsPlanned, score };
  }
  const { epochs, series } = await readMetrics(run.folder);
  const lastEpoch = epochs.at(-1) ?? record.first_epoch - 1;
  const score = series.get(record.score.metric)?.values.at(-1) ?? null;
  return { epochsDone: lastEpoch - record.first_epoch + 1, epochsPlanned, score };
}
