import type { Worker } from "node:worker_threads";

/** What a worker answers: a result, or the one-line message of a failure. */
export type WorkerReply<Result> = { readonly result: Result } | { readonly failure: WorkerFailure };

export interface WorkerFailure {
  readonly message: string;
  readonly exitCode: 1 | 2;
}

/** The failure that a worker reports for an error. */
export function toFailure(error: unknown): WorkerFailure {
  const exitCode = error instanceof Error && "exitCode" in error && error.exitCode === 2 ? 2 : 1;
  return { message: error instanceof Error ? error.message : String(error), exitCode };
}

const lastTurn = new WeakMap<Worker, Promise<unknown>>();

/** Sends a message to a worker, after what was asked of it before, and waits for its answer. */
export function askWorker<Reply>(worker: Worker, message: unknown): Promise<Reply> {
  const before = lastTurn.get(worker) ?? Promise.resolve();
  const turn = before.then(() => exchange<Reply>(worker, message));
  lastTurn.set(
    worker,
    turn.catch(() => undefined),
  );
  return turn;
}

function exchange<Reply>(worker: Worker, message: unknown): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const settle = (finish: () => void) => {
      worker.off("message", onMessage);
      worker.off("error", onError);
      worker.off("exit", onExit);
      finish();
    };
    const onMessage = (reply: Reply) => settle(() => resolve(reply));
    const onError = (error: unknown) => settle(() => reject(error as Error));
    const onExit = () => settle(() => reject(new Error("a worker thread ended early")));
    if (worker.threadId < 0) return reject(new Error("the worker thread has ended"));
    worker.on("message", onMessage);
    worker.on("error", onError);
    worker.on("exit", onExit);
    worker.postMessage(message);
  });
}

/**
 * Has tasks done by workers, each of them busy with one at a time, and gives the replies in the order of
 * the tasks. At most two tasks a worker are ahead of the reader, so memory stays bounded.
 */
export async function* inOrder<Task, Reply>(
  workers: readonly Worker[],
  tasks: Iterable<Task>,
): AsyncGenerator<Reply> {
  const pending: Promise<Reply>[] = [];
  let turn = 0;
  for (const task of tasks) {
    const reply = askWorker<Reply>(workers[turn++ % workers.length]!, task);
    reply.catch(() => undefined); // reported when its turn comes
    pending.push(reply);
    if (pending.length >= 2 * workers.length) yield await pending.shift()!;
  }
  while (pending.length > 0) yield await pending.shift()!;
}
