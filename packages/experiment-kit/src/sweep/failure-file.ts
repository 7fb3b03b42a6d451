import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@implicit-rank/array-files";
import { z } from "zod";
import { errorCode } from "../errors.ts";
import { makeFolder } from "../run-folder/create-run-folder.ts";
import { sweepPaths, taskName } from "./sweep-file.ts";
import type { SweepTask } from "./sweep-task.ts";

const failureSchema = z.object({ message: z.string(), time: z.string(), attempts: z.number() });

/** Why a run of a sweep failed; also for those that failed before they had a run folder. */
export type Failure = z.infer<typeof failureSchema>;

const pathOf = (sweepFolder: string, task: SweepTask): string =>
  join(sweepPaths(sweepFolder).failures, `${taskName(task)}.json`);

export async function recordFailure(
  sweepFolder: string,
  task: SweepTask,
  message: string,
): Promise<void> {
  const attempts = ((await readFailure(sweepFolder, task))?.attempts ?? 0) + 1;
  await makeFolder(sweepPaths(sweepFolder).failures);
  const failure: Failure = { message, time: new Date().toISOString(), attempts };
  await writeFileAtomic(pathOf(sweepFolder, task), `${JSON.stringify(failure, null, 2)}\n`, {
    overwrite: true,
  });
}

export async function readFailure(
  sweepFolder: string,
  task: SweepTask,
): Promise<Failure | undefined> {
  let text: string;
  try {
    text = await readFile(pathOf(sweepFolder, task), "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw error;
  }
  try {
    return failureSchema.parse(JSON.parse(text));
  } catch {
    return { message: "its record of failure cannot be read", time: "", attempts: 1 };
  }
}

export async function forgetFailure(sweepFolder: string, task: SweepTask): Promise<void> {
  await rm(pathOf(sweepFolder, task), { force: true });
}
