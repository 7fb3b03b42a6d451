import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { Experiment, RawFlags, RunOptions } from "../src/index.ts";
import { runExperiment, runPaths } from "../src/index.ts";
import { toyExperiment } from "./toy-experiment.ts";

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "experiment-kit-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Collects what a run prints. */
export function captureOutput(options: { isTTY?: boolean; columns?: number } = {}) {
  const parts: string[] = [];
  return {
    ...options,
    write: (text: string) => parts.push(text),
    text: () => parts.join(""),
    lines: () => parts.join("").split("\n").filter(Boolean),
  };
}

export const quiet: RunOptions = { output: "quiet", handleSignals: false };

/** Runs the toy experiment in a temporary folder. */
export function runToy(
  flags: RawFlags = {},
  options: RunOptions = {},
  experiment: Experiment<never> = toyExperiment as Experiment<never>,
) {
  const raw = { outputs_dir: temporaryFolder(), random_seed: 1, epochs: 5, ...flags };
  return runExperiment(experiment as Experiment, raw, { ...quiet, ...options });
}

export function readJson(path: string): Record<string, unknown> {
  return JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
}

/** The recorded metrics without their times, line by line. */
export function metricLines(folder: string): readonly Record<string, unknown>[] {
  return readFileSync(runPaths(folder).metrics, "utf8")
    .split("\n")
    .filter(Boolean)
    .map((line) => {
      const { time, ...values } = JSON.parse(line) as Record<string, unknown>;
      if (typeof time !== "number") throw new Error(`no time in ${line}`);
      return values;
    });
}
