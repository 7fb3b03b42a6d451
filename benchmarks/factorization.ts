/**
 * Times one full-batch GroupRMSprop step of every case of the PyTorch peer script, here and, where
 * PyTorch is at hand, there, in one run, and prints the ratios.
 *
 *   node benchmarks/factorization.ts [--threads 1] [--seconds 3] [--case NAME] [--rounds 3]
 *                                    [--engine fused|plain] [--python python3] [--json]
 *
 * The two sides take turns `rounds` times, so that a machine whose speed drifts slows both; the median
 * of the rounds counts. The peer script runs the dense formulation of the original scripts.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import {
  compileFused,
  groupRmsProp,
  plainEngine,
  type TrainingStep,
} from "@implicit-rank/tensor-factorization";
import { findPyTorch } from "./find-pytorch.ts";
import { drawCase, type FactorizationCase, peerCases } from "./factorization-cases.ts";
import { markdownTable, timePerStep } from "./timing.ts";

const { values: options } = parseArgs({
  options: {
    threads: { type: "string", default: "1" },
    seconds: { type: "string", default: "3" },
    rounds: { type: "string", default: "3" },
    case: { type: "string" },
    engine: { type: "string", default: "fused" },
    python: { type: "string", default: "python3" },
    json: { type: "boolean", default: false },
  },
});
const threads = Number(options.threads);
const seconds = Number(options.seconds);
const rounds = Number(options.rounds);

interface CaseTiming {
  readonly name: string;
  readonly ours: number;
  readonly pytorch: number | undefined;
}

function timePyTorch(python: string, name: string): number {
  const script = fileURLToPath(new URL("pytorch_factorization.py", import.meta.url));
  const flags = ["--threads", String(threads), "--seconds", String(seconds), "--case", name];
  const run = spawnSync(python, [script, ...flags], { encoding: "utf8" });
  if (run.status !== 0) throw new Error(`${name}: the PyTorch script failed: ${run.stderr}`);
  return (JSON.parse(run.stdout) as { ms_per_step: number }).ms_per_step;
}

async function compile(problem: FactorizationCase): Promise<TrainingStep> {
  const { factorization, observations } = drawCase(problem, 1);
  const optimizer = groupRmsProp({ lr: 0.01 });
  return options.engine === "plain"
    ? plainEngine.compile(factorization, observations, { kind: "l2" }, optimizer)
    : compileFused(factorization, observations, { kind: "l2" }, optimizer, { threads });
}

async function timeCase(
  problem: FactorizationCase,
  python: string | undefined,
): Promise<CaseTiming> {
  const ours: number[] = [];
  const pytorch: number[] = [];
  for (let round = 0; round < rounds; round++) {
    if (python !== undefined) pytorch.push(timePyTorch(python, problem.name));
    const step = await compile(problem);
    ours.push(timePerStep(() => void step.step(), seconds).milliseconds);
    step.dispose();
  }
  return {
    name: problem.name,
    ours: median(ours),
    pytorch: python === undefined ? undefined : median(pytorch),
  };
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)];
}

const python = findPyTorch(options.python);
if (python === undefined) console.error("PyTorch is not at hand: only this side is timed.");
const timings: CaseTiming[] = [];
for (const problem of peerCases) {
  if (options.case !== undefined && options.case !== problem.name) continue;
  const timing = await timeCase(problem, python);
  timings.push(timing);
  if (options.json) console.log(JSON.stringify({ ...timing, threads, engine: options.engine }));
}
if (!options.json)
  console.log(
    markdownTable(
      ["case", "implicit-rank (ms/step)", "PyTorch (ms/step)", "ratio"],
      timings.map(({ name, ours, pytorch }) => [
        name,
        ours.toFixed(3),
        pytorch?.toFixed(2) ?? "–",
        pytorch === undefined ? "–" : `${(pytorch / ours).toFixed(1)}×`,
      ]),
    ),
  );
