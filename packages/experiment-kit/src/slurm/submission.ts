import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  isChecksumIntact,
  isFileExistsError,
  withChecksum,
  writeFileAtomic,
} from "@implicit-rank/array-files";
import { z } from "zod";
import { errorCode, fileError, MisuseError, RunError } from "../errors.ts";
import { makeFolder } from "../run-folder/create-run-folder.ts";
import { sweepPaths } from "../sweep/sweep-file.ts";
import type { SweepTask } from "../sweep/sweep-task.ts";

/** The names inside the folder of one submission, `slurm/001` of a sweep. */
export const submissionPaths = (folder: string) => ({
  script: join(folder, "batch.sh"),
  tasks: join(folder, "tasks.jsonl"),
  job: join(folder, "job.json"),
  logs: join(folder, "logs"),
});

/** A job array that was submitted. */
export interface Submission {
  readonly folder: string;
  readonly job: string;
  readonly tasks: readonly SubmittedTask[];
}

/** A line of tasks.jsonl; it holds all that the array task needs. */
const lineSchema = z.object({
  sweep: z.string(),
  folder: z.string(),
  experiment: z.string(),
  identity: z.string(),
  flags: z.record(z.string(), z.unknown()),
});
export type SubmittedTask = z.infer<typeof lineSchema>;

const jobSchema = z.object({ job: z.string(), submitted: z.string() });

/** Makes the folder of a new submission with its task list. */
export async function createSubmission(
  sweepFolder: string,
  tasks: readonly SweepTask[],
): Promise<string> {
  const parent = sweepPaths(sweepFolder).slurm;
  await makeFolder(parent);
  const lines = tasks.map(({ folder, experiment, identity, flags }) =>
    JSON.stringify(withChecksum({ sweep: sweepFolder, folder, experiment, identity, flags })),
  );
  for (let number = (await lastNumber(parent)) + 1; ; number++) {
    const folder = join(parent, String(number).padStart(3, "0"));
    await makeFolder(submissionPaths(folder).logs);
    try {
      await writeFileAtomic(submissionPaths(folder).tasks, `${lines.join("\n")}\n`);
      return folder;
    } catch (error) {
      if (!isFileExistsError(error)) throw error;
    }
  }
}

export async function recordJob(folder: string, job: string): Promise<void> {
  const record = { job, submitted: new Date().toISOString() };
  await writeFileAtomic(submissionPaths(folder).job, `${JSON.stringify(withChecksum(record))}\n`);
}

/** The submissions of a sweep, oldest first; those that Slurm did not take are left out. */
export async function listSubmissions(sweepFolder: string): Promise<readonly Submission[]> {
  const parent = sweepPaths(sweepFolder).slurm;
  const submissions: Submission[] = [];
  for (const name of await submissionNames(parent)) {
    const folder = join(parent, name);
    const text = await readFile(submissionPaths(folder).job, "utf8").catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") return undefined;
      throw fileError(submissionPaths(folder).job, "be read", error);
    });
    if (text === undefined) continue;
    const { job } = parseJson(jobSchema, text, submissionPaths(folder).job);
    submissions.push({ folder, job, tasks: await readTaskList(folder) });
  }
  return submissions;
}

/**
 * @throws MisuseError if the folder is none of a submission; RunError if its list is damaged.
 */
export async function readTaskList(folder: string): Promise<readonly SubmittedTask[]> {
  const path = submissionPaths(folder).tasks;
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR")
      throw new MisuseError(`${folder}: is not the folder of a submission (it has no tasks.jsonl)`);
    throw fileError(path, "be read", error);
  });
  const lines = text.split("\n").filter((line) => line !== "");
  return lines.map((line, i) => parseJson(lineSchema, line, `${path}: line ${i + 1}`));
}

function parseJson<Value>(schema: z.ZodType<Value>, text: string, place: string): Value {
  try {
    const content: unknown = JSON.parse(text);
    const value = schema.parse(content);
    if (isChecksumIntact(content as Readonly<Record<string, unknown>>)) return value;
    throw new Error("the checksum does not fit");
  } catch (error) {
    throw new RunError(`${place}: is damaged; start the sweep again to submit it anew`, {
      cause: error,
    });
  }
}

async function submissionNames(parent: string): Promise<readonly string[]> {
  const names = await readdir(parent).catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return [];
    throw fileError(parent, "be read", error);
  });
  return names.filter((name) => /^\d+$/.test(name)).sort((a, b) => Number(a) - Number(b));
}

async function lastNumber(parent: string): Promise<number> {
  return Number((await submissionNames(parent)).at(-1) ?? 0);
}
