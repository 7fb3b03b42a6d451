/**
 * Times one training step of ResNet-18 (forward, backward, SGD with momentum), plain and with the regularizer, on
 * our simd backend, on tfjs's wasm backend and, where PyTorch is at hand, in PyTorch, in one run.
 *
 *   node benchmarks/resnet.ts [--threads 2] [--seconds 5] [--rounds 3] [--batch 8] [--size 64] [--width 64]
 *                             [--sides simd,pytorch,wasm] [--python python3] [--json]
 *
 * Every measurement is a process of its own; the sides take turns `rounds` times, and the median counts. The wasm
 * backend has one thread in Node and lacks the gradient by the filter, which the cli composes of its convolutions.
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createResNet, createSgd, createTrainer } from "@implicit-rank/locality-bias";
import { createRandom } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import { findPyTorch } from "./find-pytorch.ts";
import { markdownTable } from "./timing.ts";

const { values: options } = parseArgs({
  options: {
    threads: { type: "string", default: "2" },
    seconds: { type: "string", default: "5" },
    rounds: { type: "string", default: "3" },
    batch: { type: "string", default: "8" },
    size: { type: "string", default: "64" },
    width: { type: "string", default: "64" },
    sides: { type: "string", default: "simd,pytorch,wasm" },
    python: { type: "string", default: "python3" },
    json: { type: "boolean", default: false },
    /** One measurement, in this process: what the others are started with. */
    measure: { type: "string" },
    case: { type: "string" },
  },
});

type Case = "plain" | "regularized";
const cases: readonly Case[] = ["plain", "regularized"];
const COEFFICIENT = 0.5;

/** cli starts backends, but does not export how. */
async function useBackend(backend: string): Promise<void> {
  const starter = new URL("../packages/cli/dist/backend/start-backend.js", import.meta.url);
  const { startBackend } = (await import(starter.href)) as {
    startBackend(options: object): Promise<unknown>;
  };
  await startBackend({ backend, threads: Number(options.threads), log: () => undefined });
}

/** Milliseconds a step in this process. */
async function measure(backend: string, kind: Case): Promise<number> {
  await useBackend(backend);
  const [batch, size] = [Number(options.batch), Number(options.size)];
  const random = createRandom(1);
  const model = createResNet({ depth: 18, channels: 3, width: Number(options.width), random });
  const optimizer = createSgd(model.parameters, { learningRate: 0.01, momentum: 0.9 });
  const coefficient = kind === "plain" ? 0 : COEFFICIENT;
  const trainer = createTrainer({ model, optimizer, coefficient });
  const pixels = Float32Array.from({ length: batch * size * size * 3 }, () => random.normal());
  const x = tf.tensor4d(pixels, [batch, size, size, 3]);
  const labels = tf.tensor1d(Array.from({ length: batch }, (_, i) => i % 2));
  const half = { top: 0, height: size, width: size / 2 };
  const patches = { a: { ...half, left: 0 }, b: { ...half, left: size / 2 } };
  const step = () => trainer.step({ x, labels, patches });
  for (let i = 0; i < 3; i++) await step();
  const start = performance.now();
  let steps = 0;
  while (steps < 2 || performance.now() - start < Number(options.seconds) * 1000) {
    await step();
    steps += 1;
  }
  return (performance.now() - start) / steps;
}

function runSide(side: string, kind: Case, python: string | undefined): number | undefined {
  const sizes = ["threads", "seconds", "batch", "size", "width"] as const;
  const flags = [...sizes.flatMap((name) => [`--${name}`, options[name]]), "--case", kind];
  if (side === "pytorch" && python === undefined) return undefined;
  const script = fileURLToPath(new URL("peers/pytorch_resnet.py", import.meta.url));
  const run =
    side === "pytorch"
      ? spawnSync(python!, [script, ...flags], { encoding: "utf8" })
      : spawnSync(process.execPath, [fileURLToPath(import.meta.url), "--measure", side, ...flags], {
          encoding: "utf8",
        });
  if (run.status !== 0) throw new Error(`${side}, ${kind}: ${run.stderr}`);
  return (JSON.parse(run.stdout) as { ms_per_step: number }).ms_per_step;
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;

function compare(): void {
  const python = findPyTorch(options.python);
  if (python === undefined) console.error("PyTorch is not at hand: its side is left out");
  const sides = options.sides.split(",").filter((side) => side !== "pytorch" || python);
  const times = new Map<string, number[]>();
  for (let round = 0; round < Number(options.rounds); round++) {
    for (const side of sides) {
      for (const kind of cases) {
        const key = `${side} ${kind}`;
        times.set(key, [...(times.get(key) ?? []), runSide(side, kind, python)!]);
      }
    }
  }
  const middle = new Map([...times].map(([key, values]) => [key, median(values)]));
  if (options.json) {
    console.log(JSON.stringify({ options, medians: Object.fromEntries(middle) }, null, 2));
    return;
  }
  const ours = (kind: Case) => middle.get(`simd ${kind}`) ?? NaN;
  const rows = sides.map((side) => {
    const [plain, regularized] = cases.map((kind) => middle.get(`${side} ${kind}`)!);
    const ratios = cases.map((kind) => (middle.get(`${side} ${kind}`)! / ours(kind)).toFixed(2));
    return [
      side,
      plain!.toFixed(0),
      regularized!.toFixed(0),
      (regularized! / plain!).toFixed(2),
      ...ratios,
    ];
  });
  const { batch, size, width, threads } = options;
  console.log(
    `ResNet-18 of width ${width}, batch ${batch}, ${size} × ${size}, ${threads} threads\n`,
  );
  console.log(
    markdownTable(
      [
        "side",
        "plain, ms",
        "regularized, ms",
        "regularized / plain",
        "plain / simd's",
        "regularized / simd's",
      ],
      rows,
    ),
  );
}

if (options.measure === undefined) compare();
else {
  const ms = await measure(options.measure, options.case as Case);
  console.log(JSON.stringify({ ms_per_step: ms }));
}
