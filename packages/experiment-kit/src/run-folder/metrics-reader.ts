import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { errorCode, fileError, isUserError, RunError } from "../errors.ts";
import { runPaths } from "./files.ts";
import { isRunning } from "./lock.ts";
import { readSummary } from "./summary-file.ts";

/** The history of one metric: values at epochs (0-based). NaN and infinite values read as NaN. */
export interface MetricSeries {
  readonly name: string;
  readonly epochs: Int32Array;
  readonly values: Float64Array;
}

/** All histories of a run, compact: two numbers for each recorded value. */
export interface MetricHistory {
  /** Logged epochs and the seconds of training at their end. */
  readonly epochs: Int32Array;
  readonly seconds: Float64Array;
  /** By name, in order of first appearance. */
  readonly series: ReadonlyMap<string, MetricSeries>;
}

/** Follows a growing metrics.jsonl. */
export interface MetricsReader {
  /** Reads what was added since the last call, and gives everything read so far. */
  read(): Promise<MetricHistory>;
  /** SHA-256, in hex, of the lines read so far. */
  sha256(): string;
}

/**
 * The metrics of a run. Those of a run that has ended are checked against the checksum in its summary.
 *
 * @throws RunError naming the line of metrics.jsonl that cannot be read, or if it is not what the run wrote.
 */
export async function readMetrics(folder: string): Promise<MetricHistory> {
  const reader = createMetricsReader(folder);
  const history = await reader.read();
  if (await isWhole(folder, reader)) return history;
  // The run may have ended, or been resumed, in between.
  const again = await reader.read();
  if ((await isWhole(folder, reader)) || (await isRunning(folder))) return again;
  const { metrics } = runPaths(folder);
  throw new RunError(
    `${metrics}: does not fit metrics_sha256 in summary.json, it was damaged or edited; restore it, or remove summary.json and resume the run`,
  );
}

/** Also true if there is no summary, or none that can be read, to compare with. */
async function isWhole(folder: string, reader: MetricsReader): Promise<boolean> {
  const summary = await readSummary(folder).catch((error: unknown) => {
    if (isUserError(error)) return undefined;
    throw error;
  });
  const { metrics_sha256: expected } = summary ?? {};
  return expected === undefined || expected === reader.sha256();
}

const BLOCK_BYTES = 1 << 20;
const NEWLINE = 10;
/** What an Int32Array holds. */
const LAST_EPOCH = 2 ** 31 - 1;

/** A reader for a run folder. A last line without its end (being written, or torn by a kill) is left out. */
export function createMetricsReader(folder: string): MetricsReader {
  const path = runPaths(folder).metrics;
  let history = new GrowingHistory();
  let offset = 0;
  let hash = createHash("sha256");
  const readNew = async (file: FileHandle): Promise<void> => {
    const { size } = await file.stat();
    if (size < offset) {
      // Cut back by a resume.
      history = new GrowingHistory();
      offset = 0;
      hash = createHash("sha256");
    }
    let rest = Buffer.alloc(0);
    const block = Buffer.alloc(BLOCK_BYTES);
    for (let position = offset; position < size;) {
      const wanted = Math.min(BLOCK_BYTES, size - position);
      const { bytesRead } = await file.read(block, 0, wanted, position);
      if (bytesRead === 0) break;
      position += bytesRead;
      const bytes = Buffer.concat([rest, block.subarray(0, bytesRead)]);
      const end = bytes.lastIndexOf(NEWLINE) + 1;
      for (const line of bytes.toString("utf8", 0, end).split("\n")) {
        if (line !== "") addLine(history, line, path);
      }
      hash.update(bytes.subarray(0, end));
      rest = bytes.subarray(end);
      offset += end;
    }
  };
  return {
    async read() {
      try {
        const file = await open(path, "r");
        try {
          await readNew(file);
        } finally {
          await file.close();
        }
      } catch (error) {
        if (isUserError(error)) throw error;
        if (errorCode(error) !== "ENOENT") throw fileError(path, "be read", error);
      }
      return history.view();
    },
    sha256: () => hash.copy().digest("hex"),
  };
}

function addLine(history: GrowingHistory, line: string, path: string): void {
  const number = history.lines + 1;
  const wrong = (problem: string): RunError =>
    new RunError(
      `${path}: line ${number}: ${problem}; the file is damaged, resume the run or remove the line`,
    );
  let content: unknown;
  try {
    content = JSON.parse(line);
  } catch {
    throw wrong("is not valid JSON");
  }
  if (typeof content !== "object" || content === null) throw wrong("is not a JSON object");
  const { epoch, time, ...values } = content as Readonly<Record<string, unknown>>;
  if (typeof epoch !== "number" || !Number.isInteger(epoch) || epoch < 0)
    throw wrong("epoch: is not an integer of at least 0");
  if (epoch > LAST_EPOCH) throw wrong(`epoch: is more than ${LAST_EPOCH}`);
  history.addEpoch(epoch, typeof time === "number" ? time : Number.NaN);
  for (const name in values) {
    const value = values[name];
    if (typeof value === "number") history.add(name, epoch, value);
    else if (value === null) history.add(name, epoch, Number.NaN);
    else throw wrong(`${name}: is not a number`);
  }
}

class GrowingHistory {
  readonly #columns = new Map<string, Column>();
  readonly #lines = new Column();

  get lines(): number {
    return this.#lines.length;
  }

  addEpoch(epoch: number, seconds: number): void {
    this.#lines.add(epoch, seconds);
  }

  add(name: string, epoch: number, value: number): void {
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = new Column();
      this.#columns.set(name, column);
    }
    column.add(epoch, value);
  }

  view(): MetricHistory {
    const series = new Map<string, MetricSeries>();
    for (const [name, column] of this.#columns) series.set(name, { name, ...column.view() });
    const { epochs, values } = this.#lines.view();
    return { epochs, seconds: values, series };
  }
}

/** Pairs of an epoch and a number, in arrays that double when they are full. */
class Column {
  length = 0;
  #epochs = new Int32Array(64);
  #values = new Float64Array(64);

  add(epoch: number, value: number): void {
    if (this.length === this.#epochs.length) this.#grow();
    this.#epochs[this.length] = epoch;
    this.#values[this.length] = value;
    this.length++;
  }

  view(): { epochs: Int32Array; values: Float64Array } {
    return {
      epochs: this.#epochs.subarray(0, this.length),
      values: this.#values.subarray(0, this.length),
    };
  }

  #grow(): void {
    const epochs = new Int32Array(2 * this.length);
    const values = new Float64Array(2 * this.length);
    epochs.set(this.#epochs);
    values.set(this.#values);
    this.#epochs = epochs;
    this.#values = values;
  }
}
