import type { Experiment } from "../experiment.ts";
import { runTask } from "./run-task.ts";
import type { WorkerNews, WorkerOrder } from "./worker-messages.ts";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** What is not at the end of an epoch by then, after the sweep is gone, is given up. */
const ORPHAN_SECONDS = 60;

/**
 * Makes this process a worker of a sweep: it runs what the process that forked it sends. Signals of the
 * terminal are left to the sweep, which tells its workers to stop. If the sweep dies, the worker ends its
 * runs after their epoch, with a checkpoint, and itself.
 */
export function serveTasks(experiments: readonly Experiment[]): void {
  const stop = new AbortController();
  const running = new Set<Promise<void>>();
  const send = (news: WorkerNews): void => {
    if (process.connected) process.send?.(news, undefined, undefined, () => undefined);
  };
  const run = async (order: WorkerOrder & { readonly kind: "run" }): Promise<void> => {
    const { number, sweepFolder, task } = order;
    const report = await runTask(sweepFolder, task, experiments, {
      signal: stop.signal,
      onProgress: (progress) => send({ kind: "progress", number, progress }),
    });
    send({ kind: "done", number, report });
  };
  process.on("message", (order: WorkerOrder) => {
    if (order.kind === "stop") return stop.abort();
    if (order.kind === "leave") process.exit(0);
    const started = run(order).finally(() => running.delete(started));
    running.add(started);
  });
  process.on("disconnect", () => {
    stop.abort();
    setTimeout(() => process.exit(1), ORPHAN_SECONDS * 1000).unref();
    void Promise.allSettled(running).then(() => process.exit(0));
  });
  for (const signal of SIGNALS) process.on(signal, () => undefined);
  send({ kind: "ready" });
}
