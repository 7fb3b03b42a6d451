import { appendFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withChecksum } from "@implicit-rank/array-files";
import { runPaths } from "../../src/index.ts";

export interface FakeRun {
  readonly name: string;
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly metrics?: readonly { readonly name: string; readonly tag?: string }[];
  readonly facts?: Readonly<Record<string, unknown>>;
  /** Lines of metrics.jsonl; `undefined` values are left out, NaN is written as null. */
  readonly lines?: readonly Readonly<Record<string, number | undefined>>[];
  readonly lastEpoch?: number;
  /** Ended, for this reason. */
  readonly stopReason?: string;
}

/** A run folder as training leaves it, with any content. */
export function writeFakeRun(parent: string, run: FakeRun): string {
  const folder = join(parent, run.name);
  mkdirSync(folder, { recursive: true });
  const { metrics = [{ name: "train_loss", tag: "loss" }], lines = [], lastEpoch = 999 } = run;
  const record = {
    format: "implicit-rank run",
    version: 1,
    id: `id of ${run.name}`,
    experiment: "toy",
    created: "2026-01-31T12:00:00.000Z",
    seed: 7,
    score: { metric: metrics[0]!.name, source: "train", largest: false },
    metrics: { train: metrics, validation: [], extra: [] },
    first_epoch: 0,
    last_epoch: lastEpoch,
    num_model_parameters: 12,
    metadata: run.facts ?? {},
    versions: { "experiment-kit": "0.0.0" },
    platform: "test",
    cpu: "test",
    host: "test",
  };
  const paths = runPaths(folder);
  const { checksum } = withChecksum({ ...run.flags, run: record });
  writeFileSync(paths.config, JSON.stringify({ ...run.flags, run: { checksum, ...record } }));
  writeFileSync(paths.metrics, "");
  appendLines(folder, lines);
  if (run.stopReason !== undefined) writeFakeSummary(folder, run.stopReason, lines);
  return folder;
}

export function appendLines(folder: string, lines: FakeRun["lines"] = []): void {
  appendFileSync(
    runPaths(folder).metrics,
    lines.map((line) => `${JSON.stringify(line)}\n`).join(""),
  );
}

export function writeFakeSummary(folder: string, reason: string, lines: FakeRun["lines"]): void {
  const last = lines?.at(-1)?.["epoch"] ?? -1;
  const summary = {
    version: 1,
    experiment: "toy",
    outcome: "completed",
    stop_reason: reason,
    score_name: "train_loss",
    score: null,
    score_epoch: -1,
    score_largest: false,
    last_epoch: last,
    epochs_run: last + 1,
    duration_seconds: 2.5,
    seed: 7,
    num_model_parameters: 12,
    times_resumed: 0,
    last_tracked_values: {},
  };
  writeFileSync(runPaths(folder).summary, JSON.stringify(withChecksum(summary)));
}

/** Losses that fall from 1 in `count` steps, and three singular values that rise one after another. */
export function dynamics(count: number, slower = 1): NonNullable<FakeRun["lines"]> {
  return Array.from({ length: count }, (_, i) => ({
    epoch: 10 * i + 9,
    time: i / 10,
    train_loss: Math.exp((-12 * i) / count / slower),
    test_loss: 1.5 * Math.exp((-9 * i) / count / slower),
    ...Object.fromEntries(
      [0, 1, 2].map((k) => [
        `singular_value_${k}`,
        (9 - 2 * k) / (1 + Math.exp(-(i / count - 0.2 - 0.25 * k * slower) * 40)),
      ]),
    ),
  }));
}

export const dynamicsMetrics = [
  { name: "train_loss", tag: "loss" },
  { name: "test_loss", tag: "loss" },
  ...[0, 1, 2].map((k) => ({ name: `singular_value_${k}`, tag: "singular values" })),
];
