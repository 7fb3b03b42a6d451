import type { TaskProgress, TaskReport } from "./run-task.ts";
import type { SweepTask } from "./sweep-task.ts";

export interface SweepCounts {
  readonly total: number;
  /** Finished, in this start or an earlier one. */
  readonly done: number;
  readonly running: number;
  readonly failed: number;
  readonly diverged: number;
  readonly waiting: number;
}

export interface RunningTask {
  readonly task: SweepTask;
  readonly seconds: number;
  readonly progress: TaskProgress | undefined;
}

/** Counts the runs of a sweep and estimates how long it still takes. */
export interface SweepProgress {
  counts(): SweepCounts;
  running(): readonly RunningTask[];
  /** Seconds; NaN while nothing is known. */
  remainingSeconds(): number;
  start(task: SweepTask): void;
  update(task: SweepTask, progress: TaskProgress): void;
  finish(task: SweepTask, report: TaskReport): void;
}

/**
 * The estimate: each run that waits takes as long as those of its kind did on average; of a run that goes
 * on, what its share of epochs leaves; all divided among the workers.
 */
export function createSweepProgress(options: {
  readonly total: number;
  readonly due: readonly SweepTask[];
  readonly doneBefore: number;
  readonly failedBefore: number;
  readonly divergedBefore: number;
  readonly workers: number;
  readonly now?: () => number;
}): SweepProgress {
  const { total, due, workers, now = () => performance.now() / 1000 } = options;
  const waiting = new Set(due);
  const active = new Map<SweepTask, { startedAt: number; progress: TaskProgress | undefined }>();
  const times = new Map<string, { seconds: number; runs: number }>();
  let done = options.doneBefore;
  let failed = options.failedBefore;
  let diverged = options.divergedBefore;

  const usual = (experiment: string): number => {
    const own = times.get(experiment);
    if (own !== undefined) return own.seconds / own.runs;
    const all = [...times.values()];
    const runs = all.reduce((sum, time) => sum + time.runs, 0);
    return all.reduce((sum, time) => sum + time.seconds, 0) / runs;
  };
  const remainderOf = (
    task: SweepTask,
    { startedAt, progress }: { startedAt: number; progress: TaskProgress | undefined },
  ): number => {
    const spent = now() - startedAt;
    const byEpochs =
      progress !== undefined && progress.done > 0
        ? (spent * (progress.planned - progress.done)) / progress.done
        : Infinity;
    const byOthers = Math.max(0, usual(task.experiment) - spent);
    return Number.isNaN(byOthers) ? byEpochs : Math.min(byEpochs, byOthers);
  };
  return {
    counts: () => ({
      total,
      done,
      running: active.size,
      failed,
      diverged,
      waiting: waiting.size,
    }),
    running: () =>
      [...active].map(([task, { startedAt, progress }]) => ({
        task,
        seconds: now() - startedAt,
        progress,
      })),
    remainingSeconds() {
      const ofWaiting = [...waiting].map(({ experiment }) => usual(experiment));
      const ofActive = [...active].map(([task, state]) => remainderOf(task, state));
      const work = [...ofWaiting, ...ofActive].reduce((sum, seconds) => sum + seconds, 0);
      return Number.isFinite(work) ? Math.max(work / workers, ...ofActive) : Number.NaN;
    },
    start(task) {
      waiting.delete(task);
      active.set(task, { startedAt: now(), progress: undefined });
    },
    update(task, progress) {
      const state = active.get(task);
      if (state !== undefined) state.progress = progress;
    },
    finish(task, report) {
      const state = active.get(task);
      active.delete(task);
      if (report.state === "interrupted") return;
      if (report.state === "failed") failed++;
      else if (report.state === "diverged") diverged++;
      else done++;
      if (state === undefined || report.state !== "finished") return;
      const time = times.get(task.experiment) ?? { seconds: 0, runs: 0 };
      // Runs that share a worker take turns.
      time.seconds += (now() - state.startedAt) / Math.max(1, (active.size + 1) / workers);
      time.runs++;
      times.set(task.experiment, time);
    },
  };
}
