import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runExperiment, type RunOptions, type RunResult } from "@implicit-rank/experiment-kit";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { onTestFinished } from "vitest";
import { type ExperimentEnvironment, pathfinderExperiment } from "../../src/experiment/index.ts";
import { imageSet, type SetOptions } from "./image-sets.ts";

/** Flags of runs that take no time. */
export const tinyFlags = {
  dataset_path: "set",
  model_width: 2,
  batch_size: 6,
  random_seed: 3,
  epochs: 2,
  backend: "cpu",
} as const;

export const backend = { name: "cpu", threads: 1 };

export interface PlayOptions {
  readonly train?: Partial<SetOptions> | undefined;
  readonly test?: Partial<SetOptions> | undefined;
}

/** The pathfinder experiment on sets in memory, 12 training and 7 test images of 8 × 8. */
export function pathfinderInMemory({ train, test }: PlayOptions = {}) {
  return pathfinderExperiment(environment({ train, test }));
}

export function environment({ train, test }: PlayOptions = {}): ExperimentEnvironment {
  return {
    loadIsSame: () => Promise.reject(new Error("not used")),
    loadPathfinder: ({ split, samples, batchSize, seed }) => {
      const all = split === "train" ? 12 : 7;
      return Promise.resolve(
        imageSet({
          count: samples < 0 ? all : samples,
          batchSize,
          ...(seed === undefined ? {} : { seed }),
          ...(split === "train" ? train : test),
        }),
      );
    },
    async startBackend() {
      await tf.setBackend("cpu");
      return backend;
    },
  };
}

export async function scratchFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "locality-bias-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Runs it quietly in a folder of its own. */
export async function play(
  flags: Readonly<Record<string, unknown>> = {},
  sets: PlayOptions = {},
  options: RunOptions = {},
): Promise<RunResult> {
  const outputs = await scratchFolder();
  return runExperiment(
    pathfinderInMemory(sets),
    { ...tinyFlags, outputs_dir: outputs, ...flags },
    { output: "quiet", handleSignals: false, ...options },
  );
}

/** metrics.jsonl, a line for each epoch, without times. */
export async function metricsOf(folder: string): Promise<readonly Record<string, number>[]> {
  const text = await readFile(join(folder, "metrics.jsonl"), "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => {
      const { time, ...values } = JSON.parse(line) as Record<string, number>;
      void time;
      return values;
    });
}
