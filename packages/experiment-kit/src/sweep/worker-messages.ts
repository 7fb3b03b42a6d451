import type { TaskProgress, TaskReport } from "./run-task.ts";
import type { SweepTask } from "./sweep-task.ts";

/** From the sweep to a worker process. */
export type WorkerOrder =
  | {
      readonly kind: "run";
      readonly number: number;
      readonly sweepFolder: string;
      readonly task: SweepTask;
    }
  /** End the runs after their epoch, each with a checkpoint. */
  | { readonly kind: "stop" }
  /** There is nothing left to do. */
  | { readonly kind: "leave" };

/** From a worker process to the sweep. */
export type WorkerNews =
  | { readonly kind: "ready" }
  | { readonly kind: "progress"; readonly number: number; readonly progress: TaskProgress }
  | { readonly kind: "done"; readonly number: number; readonly report: TaskReport };
