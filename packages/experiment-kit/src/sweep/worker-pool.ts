import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { RunError } from "../errors.ts";
import { recordFailure } from "./failure-file.ts";
import type { TaskProgress, TaskReport } from "./run-task.ts";
import type { SweepTask } from "./sweep-task.ts";
import type { WorkerNews, WorkerOrder } from "./worker-messages.ts";

export interface PoolOptions {
  readonly sweepFolder: string;
  /** The most worker processes. */
  readonly workers: number;
  /** A module that calls `serveTasks`. */
  readonly workerModule: URL;
  /** First abort: no more runs are begun, and those that run end after their epoch. */
  readonly stop?: AbortSignal | undefined;
  /** Ends the workers at once. */
  readonly kill?: AbortSignal | undefined;
  onStart(task: SweepTask): void;
  onProgress(task: SweepTask, progress: TaskProgress): void;
  onDone(task: SweepTask, report: TaskReport): void;
}

interface Worker {
  readonly process: ChildProcess;
  readonly running: Set<number>;
  ready: boolean;
  /** The end of what it printed to stderr, for the message if it dies. */
  lastWords: string;
}

/** About what a run waits for the disk; where runs are short, others fill that time. */
const DISK_SECONDS = 0.3;
const SHORT_RUN_SECONDS = 2;
const MOST_AT_ONCE = 8;
const LAST_WORDS_MS = 100;

/**
 * Runs tasks in worker processes, which are kept for many runs. Each trains one run at a time; where runs
 * are so short that waiting for the disk counts, it has a few in hand.
 *
 * @throws RunError if the workers cannot be started.
 */
export async function runPool(tasks: readonly SweepTask[], options: PoolOptions): Promise<void> {
  const pool = new Pool(tasks, options);
  options.stop?.addEventListener("abort", pool.stop);
  options.kill?.addEventListener("abort", pool.kill);
  try {
    await pool.run();
  } finally {
    options.stop?.removeEventListener("abort", pool.stop);
    options.kill?.removeEventListener("abort", pool.kill);
  }
}

class Pool {
  readonly #tasks: readonly SweepTask[];
  readonly #options: PoolOptions;
  readonly #queue: number[];
  /** Runs whose worker died with several in hand: each is tried once more, alone in its process. */
  readonly #suspects: number[] = [];
  readonly #workers = new Set<Worker>();
  readonly #startedAt = new Map<number, number>();
  readonly #recordings: Promise<void>[] = [];
  /** Seconds of work of the last run of each kind. */
  readonly #lastSeconds = new Map<string, number>();
  #stopping = false;
  #settle: (error?: Error) => void = () => undefined;

  constructor(tasks: readonly SweepTask[], options: PoolOptions) {
    this.#tasks = tasks;
    this.#options = options;
    this.#queue = tasks.map((_, number) => number).reverse();
  }

  async run(): Promise<void> {
    if (this.#tasks.length === 0 || this.#options.stop?.aborted === true) return;
    await new Promise<void>((resolve, reject) => {
      this.#settle = (error) => (error === undefined ? resolve() : reject(error));
      const count = Math.min(this.#options.workers, this.#tasks.length);
      for (let i = 0; i < count; i++) this.#startWorker();
    });
    await Promise.all(this.#recordings);
  }

  readonly stop = (): void => {
    this.#stopping = true;
    this.#queue.length = 0;
    this.#suspects.length = 0;
    for (const worker of this.#workers) {
      send(worker, { kind: "stop" });
      this.#supply(worker);
    }
  };

  readonly kill = (): void => {
    this.stop();
    for (const worker of this.#workers) worker.process.kill("SIGKILL");
  };

  #startWorker(): void {
    const child = fork(this.#options.workerModule, [], {
      execArgv: [],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    const worker: Worker = { process: child, running: new Set(), ready: false, lastWords: "" };
    this.#workers.add(worker);
    child.stderr?.on("data", (text: Buffer) => {
      worker.lastWords = (worker.lastWords + text.toString()).slice(-2000);
    });
    child.on("message", (news: WorkerNews) => this.#onNews(worker, news));
    child.on("error", () => undefined);
    child.on("exit", (code, signal) => {
      // What it said last may still be on its way.
      const delay = code === 0 ? 0 : LAST_WORDS_MS;
      setTimeout(() => this.#onExit(worker, signal ?? `exit code ${code}`), delay);
    });
  }

  #onNews(worker: Worker, news: WorkerNews): void {
    if (news.kind === "ready") {
      worker.ready = true;
      return this.#supply(worker);
    }
    const task = this.#tasks[news.number]!;
    if (news.kind === "progress") return this.#options.onProgress(task, news.progress);
    worker.running.delete(news.number);
    const seconds = (performance.now() - this.#startedAt.get(news.number)!) / 1000;
    this.#lastSeconds.set(task.experiment, seconds / (worker.running.size + 1));
    this.#options.onDone(task, news.report);
    this.#supply(worker);
  }

  /** Gives a worker as many runs as it can do, or lets it go. */
  #supply(worker: Worker): void {
    if (!worker.ready) return;
    if (worker.running.size === 0 && this.#suspects.length > 0)
      return this.#assign(worker, this.#suspects.pop()!);
    while (this.#queue.length > 0 && this.#hasRoom(worker))
      this.#assign(worker, this.#queue.pop()!);
    if (worker.running.size === 0) send(worker, { kind: "leave" });
  }

  /** Whether the worker may take the next run of the queue. */
  #hasRoom(worker: Worker): boolean {
    if (worker.running.size === 0) return true;
    // The last runs are spread over all workers.
    const isLast = this.#queue.length < this.#workers.size;
    if (isLast || this.#suspects.length > 0) return false;
    const longest = Math.max(
      ...[...worker.running, this.#queue.at(-1)!].map((number) => {
        return this.#lastSeconds.get(this.#tasks[number]!.experiment) ?? Infinity;
      }),
    );
    if (longest > SHORT_RUN_SECONDS) return false;
    return worker.running.size < Math.min(MOST_AT_ONCE, 1 + Math.ceil(DISK_SECONDS / longest));
  }

  #assign(worker: Worker, number: number): void {
    const task = this.#tasks[number]!;
    worker.running.add(number);
    this.#startedAt.set(number, performance.now());
    this.#options.onStart(task);
    send(worker, { kind: "run", number, sweepFolder: this.#options.sweepFolder, task });
  }

  #onExit(worker: Worker, how: string): void {
    this.#workers.delete(worker);
    if (!worker.ready && !this.#stopping) {
      this.kill();
      return this.#settle(
        new RunError(
          `a worker process could not be started (${how}): ${errorLine(worker.lastWords)}; report this`,
        ),
      );
    }
    this.#bury(worker, how);
    const left = this.#queue.length + this.#suspects.length;
    if (left > this.#workers.size && this.#workers.size < this.#options.workers)
      this.#startWorker();
    else if (left > 0 && this.#workers.size === 0) this.#startWorker();
    if (this.#workers.size === 0) this.#settle();
  }

  /** Decides what becomes of the runs that a worker died with. */
  #bury(worker: Worker, how: string): void {
    if (this.#stopping) {
      for (const number of worker.running)
        this.#options.onDone(this.#tasks[number]!, { state: "interrupted" });
      return;
    }
    if (worker.running.size > 1) return void this.#suspects.push(...worker.running);
    for (const number of worker.running) {
      const task = this.#tasks[number]!;
      const words = errorLine(worker.lastWords);
      const message = `its process ended (${how})${words === "" ? "" : `: ${words}`}`;
      this.#recordings.push(
        recordFailure(this.#options.sweepFolder, task, message).catch(() => undefined),
      );
      this.#options.onDone(task, { state: "failed", message });
    }
  }
}

function send(worker: Worker, order: WorkerOrder): void {
  if (worker.process.connected) worker.process.send(order, () => undefined);
}

/** The line of an output that says what went wrong. */
function errorLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return (lines.find((line) => /error/i.test(line)) ?? lines.at(-1) ?? "").trim();
}
