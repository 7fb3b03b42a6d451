import { createHash } from "node:crypto";
import type { Hash } from "node:crypto";
import { closeSync, fstatSync, fsyncSync, openSync, readSync, writeSync } from "node:fs";
import { fileError } from "../errors.ts";
import { METRIC_SOURCES } from "../fit/metric-values.ts";
import type { TrackedMetrics } from "../fit/metric-values.ts";

/** Appends to metrics.jsonl: one line per logged epoch, in blocks. */
export interface MetricsWriter {
  /** Bytes of the file once everything is flushed. */
  readonly bytes: number;
  /** SHA-256, in hex, of what was written out. */
  sha256(): string;
  /** Adds a line with all values that were updated in this epoch. */
  append(epoch: number, seconds: number): void;
  /** Writes out what is buffered; with `durable` it also survives a power failure. */
  flush(options?: { readonly durable?: boolean }): void;
  close(): void;
}

const BLOCK_CHARACTERS = 64 * 1024;
const HASH_BLOCK_BYTES = 1 << 20;
/** A reader sees a new line at most this much later. */
const FLUSH_SECONDS = 1;

/**
 * Opens metrics.jsonl for appending. A line is
 * `{"epoch":24,"time":1.234,"train_mse_loss":0.5,…}`; `time` is in seconds of training (left out if
 * NaN); values that are NaN or infinite are null.
 *
 * @throws RunError (also from every method) if the file cannot be written.
 */
export function openMetricsWriter(path: string, metrics: TrackedMetrics): MetricsWriter {
  const file = guard(path, () => openSync(path, "a+"));
  const groups = METRIC_SOURCES.map((source) => metrics[source]).filter(
    (group) => group.infos.length > 0,
  );
  const keys = groups.map((group) => group.infos.map((info) => `,${JSON.stringify(info.name)}:`));
  let written = guard(path, () => fstatSync(file).size);
  const hash = guard(path, () => hashOfFile(file, written));
  let block = "";
  let flushedAt = 0;

  const flush = (): void => {
    if (block === "") return;
    const bytes = Buffer.from(block);
    block = "";
    guard(path, () => {
      for (let offset = 0; offset < bytes.length;) offset += writeSync(file, bytes, offset);
    });
    written += bytes.length;
    hash.update(bytes);
  };
  return {
    get bytes() {
      return written + Buffer.byteLength(block);
    },
    sha256: () => hash.copy().digest("hex"),
    append(epoch, seconds) {
      let line = `{"epoch":${epoch}`;
      if (!Number.isNaN(seconds)) line += `,"time":${Math.round(seconds * 1000) / 1000}`;
      for (let g = 0; g < groups.length; g++) {
        const { values, epochs } = groups[g]!;
        const names = keys[g]!;
        for (let i = 0; i < values.length; i++) {
          if (epochs[i] !== epoch) continue;
          const value = values[i]!;
          line += names[i]! + (Number.isFinite(value) ? value : "null");
        }
      }
      block += `${line}}\n`;
      if (block.length < BLOCK_CHARACTERS && !(seconds - flushedAt >= FLUSH_SECONDS)) return;
      flushedAt = seconds;
      flush();
    },
    flush({ durable = false } = {}) {
      flush();
      if (durable) guard(path, () => fsyncSync(file));
    },
    close() {
      try {
        flush();
      } finally {
        closeSync(file);
      }
    },
  };
}

function hashOfFile(file: number, bytes: number): Hash {
  const hash = createHash("sha256");
  const block = Buffer.alloc(Math.min(bytes, HASH_BLOCK_BYTES));
  for (let position = 0; position < bytes;) {
    const count = readSync(file, block, 0, Math.min(block.length, bytes - position), position);
    if (count === 0) break;
    hash.update(block.subarray(0, count));
    position += count;
  }
  return hash;
}

function guard<Result>(path: string, action: () => Result): Result {
  try {
    return action();
  } catch (error) {
    throw fileError(path, "be written", error);
  }
}
