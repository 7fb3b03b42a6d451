import { readdir, readFile } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import { isChecksumIntact, withChecksum, writeFileAtomic } from "@implicit-rank/array-files";
import { z } from "zod";
import { errorCode, fileError, MisuseError, RunError } from "../errors.ts";
import { makeFolder } from "../run-folder/create-run-folder.ts";
import type { SweepTask } from "./sweep-task.ts";

/** A folder with what is to be run; the run folders are in it or, for a plan, where the plan says. */
export interface Sweep {
  readonly folder: string;
  readonly tasks: readonly SweepTask[];
}

const FORMAT = "implicit-rank sweep";
const VERSION = 1;

const taskSchema = z.object({
  folder: z.string().min(1),
  experiment: z.string(),
  identity: z.string(),
  flags: z.record(z.string(), z.unknown()),
  configuration: z.number().int().min(0).optional(),
});
const sweepSchema = z.object({
  format: z.literal(FORMAT),
  version: z.literal(VERSION),
  tasks: z.array(taskSchema),
});

/** The names inside the folder of a sweep. */
export const sweepPaths = (folder: string) => ({
  sweep: join(folder, "sweep.json"),
  failures: join(folder, "failures"),
  slurm: join(folder, "slurm"),
});

/**
 * Writes sweep.json. Runs that earlier sweeps have made keep their folders under whatever name they have:
 * the returned tasks point to these.
 */
export async function writeSweep(sweep: Sweep): Promise<Sweep> {
  await makeFolder(sweep.folder);
  const tasks = await withExistingFolders(sweep.tasks);
  const stored = tasks.map((task) => ({
    ...task,
    folder: relative(resolve(sweep.folder), task.folder),
  }));
  const { checksum } = withChecksum({ format: FORMAT, version: VERSION, tasks: stored });
  const head = JSON.stringify({ format: FORMAT, version: VERSION, checksum }).slice(1, -1);
  const lines = stored.map((task) => `  ${JSON.stringify(task)}`).join(",\n");
  const text = `{${head},"tasks":[\n${lines}\n]}\n`;
  await writeFileAtomic(sweepPaths(sweep.folder).sweep, text, { overwrite: true });
  return { folder: resolve(sweep.folder), tasks };
}

/**
 * Reads sweep.json.
 *
 * @throws MisuseError if the folder is none of a sweep; RunError if the file is damaged.
 */
export async function readSweep(folder: string): Promise<Sweep> {
  const path = sweepPaths(folder).sweep;
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR")
      throw new MisuseError(
        `${folder}: is not the folder of a sweep (it has no sweep.json); give the one that sweep printed`,
      );
    throw fileError(path, "be read", error);
  });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new RunError(`${path}: is not valid JSON; start the sweep again to write it anew`);
  }
  const parsed = sweepSchema.safeParse(content);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new RunError(
      `${path}: ${issue.path.join(".")}: ${issue.message}; start the sweep again to write it anew`,
    );
  }
  if (!isChecksumIntact(content as Readonly<Record<string, unknown>>))
    throw new RunError(
      `${path}: checksum: does not fit, the file was damaged or edited; start the sweep again to write it anew`,
    );
  const tasks = parsed.data.tasks.map(({ configuration, ...task }) => ({
    ...task,
    folder: resolve(folder, task.folder),
    ...(configuration === undefined ? {} : { configuration }),
  }));
  return { folder: resolve(folder), tasks };
}

async function withExistingFolders(tasks: readonly SweepTask[]): Promise<readonly SweepTask[]> {
  const existing = new Map<string, string>();
  for (const parent of new Set(tasks.map(({ folder }) => dirname(folder)))) {
    const names = await readdir(parent).catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") return [];
      throw fileError(parent, "be read", error);
    });
    for (const name of names) {
      const identity = name.slice(name.lastIndexOf("_") + 1);
      existing.set(join(parent, identity), join(parent, name));
    }
  }
  const located = tasks.map((task) => {
    const found = existing.get(join(dirname(task.folder), task.identity));
    return found === undefined ? task : { ...task, folder: found };
  });
  // Configurations of a plan may be equal; they are one run.
  return [...new Map(located.map((task) => [task.folder, task])).values()];
}

/** A short name for messages. */
export function taskName(task: SweepTask): string {
  return basename(task.folder);
}
