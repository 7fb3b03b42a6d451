import { formatDuration, formatRate, formatValue } from "./format.ts";

/** Where a run prints; `process.stdout` is one. */
export interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  /** As `write` of a stream of Node. */
  write(text: string): unknown;
  /** Listens to errors, such as that of a closed pipe. */
  on?(event: "error", listener: (error: Error) => void): unknown;
  /** Ends `on`. */
  off?(event: "error", listener: (error: Error) => void): unknown;
}

/** text: log lines and, on a terminal, a line of progress; json: one JSON object a line; quiet: nothing. */
export type OutputMode = "text" | "json" | "quiet";

export type LogLevel = "INFO" | "WARNING" | "ERROR";

export interface Progress {
  readonly epoch: number;
  readonly lastEpoch: number;
  /** Within an epoch: what it is at, and how far. `epoch` is then the one before, which is done. */
  readonly within?: {
    readonly phase: "train" | "validate";
    readonly done: number;
    readonly total: number;
  };
  readonly epochsPerSecond: number;
  readonly remainingSeconds: number;
  readonly elapsedSeconds: number;
  readonly metrics: readonly { readonly name: string; readonly value: number }[];
}

/** What a run shows to the one who started it. */
export interface RunConsole {
  /** Milliseconds between two `progress` calls; Infinity: it shows none. */
  readonly progressInterval: number;
  /** `text` as it stands in the log file, `message` without time and level. */
  log(level: LogLevel, message: string, text: string): void;
  /** A log line about an epoch, which a line of progress makes superfluous. */
  logEpoch(text: string): void;
  progress(progress: Progress): void;
  event(name: string, fields: Readonly<Record<string, unknown>>): void;
  close(): void;
}

/** A console for a run. A stream that fails (closed pipe, full disk) is given up; the run goes on. */
export function createConsole(mode: OutputMode, stream: OutputStream): RunConsole {
  if (mode === "quiet") return { ...silent, close: () => undefined };
  let failed = false;
  const onError = (): void => {
    failed = true;
  };
  stream.on?.("error", onError);
  const write = (text: string): void => {
    if (failed) return;
    try {
      stream.write(text);
    } catch {
      failed = true;
    }
  };
  // A write may fail after it was accepted: keep listening for one more turn of the event loop.
  const close = (): void => {
    setTimeout(() => stream.off?.("error", onError), 100).unref();
  };
  if (mode === "json") return { ...jsonConsole(write), close };
  if (stream.isTTY === true) return terminalConsole(write, stream, close);
  return {
    ...silent,
    log: (_level, _message, text) => write(`${text}\n`),
    logEpoch: (text) => write(`${text}\n`),
    close,
  };
}

const silent: RunConsole = {
  progressInterval: Infinity,
  log: () => undefined,
  logEpoch: () => undefined,
  progress: () => undefined,
  event: () => undefined,
  close: () => undefined,
};

function jsonConsole(write: (text: string) => void): RunConsole {
  const event = (name: string, fields: Readonly<Record<string, unknown>>): void => {
    write(`${JSON.stringify({ event: name, ...fields })}\n`);
  };
  return {
    ...silent,
    progressInterval: 1000,
    log(level, message) {
      if (level !== "INFO") event(level === "WARNING" ? "notice" : "error", { message });
    },
    progress({ metrics, ...progress }) {
      const values = Object.fromEntries(
        metrics.map(({ name, value }) => [name, Number.isFinite(value) ? value : null]),
      );
      event("progress", { ...progress, metrics: values });
    },
    event,
  };
}

/** Also where a terminal says that it has no columns. */
const DEFAULT_COLUMNS = 80;
const CLEAR_LINE = "\r\u001b[K";

/** A line of progress that is rewritten in place; log messages scroll by above it. */
function terminalConsole(
  write: (text: string) => void,
  stream: OutputStream,
  close: () => void,
): RunConsole {
  let line = "";
  return {
    ...silent,
    progressInterval: 100,
    log: (_level, _message, text) => write(`${line === "" ? "" : CLEAR_LINE}${text}\n${line}`),
    progress(progress) {
      line = describeProgress(progress).slice(
        0,
        Math.max(20, (stream.columns || DEFAULT_COLUMNS) - 1),
      );
      write(CLEAR_LINE + line);
    },
    close() {
      if (line !== "") write(CLEAR_LINE);
      close();
    },
  };
}

/**
 * `1200/500000 epochs  train_mse_loss 0.0123  4100 epochs/s  ETA 0:02:01`; within an epoch
 * `3/150 epochs, batch 12/79 …` or `3/150 epochs, validation 12/157 …`.
 */
export function describeProgress(progress: Progress): string {
  const metrics = progress.metrics.map(({ name, value }) => `${name} ${formatValue(value)}`);
  const { within } = progress;
  const place =
    within === undefined
      ? ""
      : `, ${within.phase === "train" ? "batch" : "validation"} ${within.done}/${within.total}`;
  return [
    `${progress.epoch + 1}/${progress.lastEpoch + 1} epochs${place}`,
    ...metrics,
    `${formatRate(progress.epochsPerSecond)} epochs/s`,
    `ETA ${formatDuration(progress.remainingSeconds)}`,
  ].join("  ");
}
