import type { Sweep } from "../sweep/sweep-file.ts";
import { readTaskStatuses } from "../sweep/task-state.ts";
import type { TaskState, TaskStatus } from "../sweep/task-state.ts";
import { readQueue } from "./slurm-commands.ts";
import { listSubmissions } from "./submission.ts";

/** The state of a run of a sweep that Slurm runs. */
export interface SlurmTaskStatus extends Omit<TaskStatus, "state"> {
  /** queued: Slurm has it and has not begun it, or holds it after a requeue. */
  readonly state: TaskState | "queued";
  /** Its array task, for example `12_3`, if it was submitted. */
  readonly job?: string;
  /** What Slurm says of that, for example `TIMEOUT`. */
  readonly slurmState?: string;
}

/** The runs of a sweep as their folders and Slurm tell. */
export interface SlurmStatus {
  readonly statuses: readonly SlurmTaskStatus[];
  /** False if Slurm does not answer; then the run folders alone are looked at. */
  readonly known: boolean;
  /** Numbers of the jobs that have array tasks in the queue. */
  readonly activeJobs: readonly string[];
}

const WAITING = new Set([
  "PENDING",
  "CONFIGURING",
  "REQUEUED",
  "REQUEUE_FED",
  "REQUEUE_HOLD",
  "RESV_DEL_HOLD",
  "SPECIAL_EXIT",
  "SUSPENDED",
  "STOPPED",
]);
const RUNNING = new Set(["RUNNING", "SIGNALING", "RESIZING"]);

/** The states of all runs of a sweep: of their folders, and of their latest array tasks in Slurm. */
export async function readSlurmStatus(sweep: Sweep): Promise<SlurmStatus> {
  const submissions = await listSubmissions(sweep.folder);
  const jobOf = new Map(
    submissions.flatMap(({ job, tasks }) =>
      tasks.map(({ identity }, index) => [identity, `${job}_${index}`] as const),
    ),
  );
  const jobs = [...new Set([...jobOf.values()].map((task) => task.split("_")[0]!))];
  const { known, states } = await readQueue(jobs);
  const folders = await readTaskStatuses(sweep.folder, sweep.tasks);
  const statuses = folders.map((status) => {
    const job = jobOf.get(status.task.identity);
    const slurmState = job === undefined ? undefined : states.get(job);
    return merge(status, job, slurmState);
  });
  const active = [...states].filter(([, state]) => WAITING.has(state) || RUNNING.has(state));
  const activeJobs = [...new Set(active.map(([task]) => task.split("_")[0]!))];
  return { statuses, known, activeJobs };
}

function merge(
  status: TaskStatus,
  job: string | undefined,
  slurmState: string | undefined,
): SlurmTaskStatus {
  const known = {
    ...status,
    ...(job === undefined ? {} : { job }),
    ...(slurmState === undefined ? {} : { slurmState }),
  };
  const hasEnded = status.state === "finished" || status.state === "diverged";
  if (hasEnded || slurmState === undefined) return known;
  if (WAITING.has(slurmState)) return { ...known, state: "queued" };
  if (RUNNING.has(slurmState)) return { ...known, state: "running" };
  return known;
}
