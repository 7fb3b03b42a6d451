import { execFile } from "node:child_process";
import { errorCode, MisuseError, RunError } from "../errors.ts";

interface Output {
  readonly ok: boolean;
  readonly stdout: string;
  readonly stderr: string;
}

function run(command: string, args: readonly string[]): Promise<Output> {
  return new Promise((resolve, reject) => {
    execFile(command, [...args], { maxBuffer: 1 << 28 }, (error, stdout, stderr) => {
      if (errorCode(error) === "ENOENT")
        reject(
          new MisuseError(
            `--executor slurm: ${command} is not found; run this where Slurm's commands are installed`,
          ),
        );
      else resolve({ ok: error === null, stdout, stderr });
    });
  });
}

/**
 * Submits a batch script.
 *
 * @returns the number of the job.
 * @throws MisuseError if there is no Slurm here; RunError if it refuses the job.
 */
export async function submitJob(scriptPath: string): Promise<string> {
  const { ok, stdout, stderr } = await run("sbatch", ["--parsable", scriptPath]);
  const job = /^(\d+)(;\S+)?$/m.exec(stdout)?.[1];
  if (ok && job !== undefined) return job;
  throw new RunError(
    `sbatch: did not take ${scriptPath}: ${stderr.trim().split("\n").at(-1) ?? ""}; correct the --slurm_ flags`,
  );
}

/** State of array tasks by `job_index`, for example `12_3` → `RUNNING`. */
export type JobStates = ReadonlyMap<string, string>;

export interface Queue {
  /** Whether Slurm could be asked; otherwise `states` is empty. */
  readonly known: boolean;
  readonly states: JobStates;
}

/**
 * What Slurm knows of some jobs: those in the queue or ended lately from squeue, older ones from sacct
 * where the cluster keeps accounts.
 */
export async function readQueue(jobs: readonly string[]): Promise<Queue> {
  if (jobs.length === 0) return { known: true, states: new Map() };
  const list = jobs.join(",");
  const queue = await run("squeue", ["-h", "-r", "-t", "all", "-j", list, "-o", "%F_%K %T"]);
  // A single job that is forgotten already is an error to squeue.
  const known = queue.ok || /invalid job id/i.test(queue.stderr);
  const accounts = await run("sacct", ["-n", "-P", "-X", "-j", list, "-o", "JobID,State"]).catch(
    () => ({ ok: false, stdout: "", stderr: "" }),
  );
  const states = new Map<string, string>();
  if (accounts.ok) addStates(states, accounts.stdout, /^(\d+_\d+)\|([A-Z_]+)/);
  if (queue.ok) addStates(states, queue.stdout, /^(\d+_\d+) ([A-Z_]+)/);
  return { known: known || accounts.ok, states };
}

function addStates(states: Map<string, string>, text: string, line: RegExp): void {
  for (const row of text.split("\n")) {
    const [, task, state] = line.exec(row) ?? [];
    if (task !== undefined && state !== undefined) states.set(task, state);
  }
}

const DEFAULT_ARRAY_SIZE = 1001;

/** One more than the largest index of a job array that the cluster allows. */
export async function readMaxArraySize(): Promise<number> {
  const { stdout } = await run("scontrol", ["show", "config"]);
  const size = Number(/^MaxArraySize\s*=\s*(\d+)/m.exec(stdout)?.[1]);
  return size >= 1 ? size : DEFAULT_ARRAY_SIZE;
}
