import {
  createFactorization,
  type Factorization,
  type FactorizationSpec,
  modeSizesOf,
  type Observations,
} from "@implicit-rank/tensor-factorization";
import { createRandom, type Random } from "@implicit-rank/random";

/** A problem of the PyTorch peer script: 2,048 samples, parameters normal with deviation 0.1. */
export interface FactorizationCase {
  readonly name: string;
  readonly spec: FactorizationSpec;
  readonly task: "completion" | "sensing";
  readonly samples: number;
}

const models: readonly [string, FactorizationSpec][] = [
  ["mf-64x64-depth3", { kind: "mf", sizes: [64, 64, 64, 64] }],
  ["cp-order3-dim16-rank256", cp(3, 16, 256)],
  ["ht-order3-dim16-width512", ht(3, 16, 512)],
  ["ht-order4-dim8-width512", ht(4, 8, 512)],
];

export function cp(order: number, dim: number, components: number): FactorizationSpec {
  return { kind: "cp", modeSizes: equalSizes(order, dim), components, outputWeights: false };
}

/** A hierarchical factorization with pool size 2 and the same width in every layer. */
export function ht(order: number, dim: number, width: number): FactorizationSpec {
  const layers = Math.ceil(Math.log2(order));
  return {
    kind: "ht",
    modeSizes: equalSizes(order, dim),
    widths: equalSizes(layers, width),
    poolSizes: equalSizes(layers, 2),
    poolPattern: "checkerboard",
    outputWeights: true,
  };
}

function equalSizes(count: number, size: number): number[] {
  return Array.from({ length: count }, () => size);
}

/** The cases of the peer script, under its names and in its order. */
export const peerCases: readonly FactorizationCase[] = (["completion", "sensing"] as const).flatMap(
  (task) => models.map(([name, spec]) => ({ name: `${name}-${task}`, spec, task, samples: 2048 })),
);

/** Random parameters and observations of a case. */
export function drawCase(
  { spec, task, samples }: FactorizationCase,
  seed: number,
): { factorization: Factorization; observations: Observations } {
  const random = createRandom(seed);
  const factorization = createFactorization(spec);
  random.fillNormal(factorization.values, 0, 0.1);
  const targets = new Float32Array(samples);
  random.fillNormal(targets, 0, 1);
  return {
    factorization,
    observations:
      task === "completion"
        ? { task, indices: drawIndices(spec, samples, random), targets, samples }
        : { task, inputs: drawInputs(spec, samples, random), targets, samples },
  };
}

function drawIndices(spec: FactorizationSpec, samples: number, random: Random): Int32Array {
  const sizes = modeSizesOf(spec);
  const entries = sizes.reduce((product, size) => product * size, 1);
  const indices = new Int32Array(samples * sizes.length);
  if (entries > 2 ** 31) {
    // Among so many entries a few thousand independent draws do not meet.
    for (let i = 0; i < indices.length; i++) indices[i] = random.int(sizes[i % sizes.length]);
    return indices;
  }
  const drawn = random.sampleWithoutReplacement(entries, samples);
  for (let s = 0; s < samples; s++) {
    let rest = drawn[s];
    for (let mode = sizes.length - 1; mode >= 0; mode--) {
      indices[s * sizes.length + mode] = rest % sizes[mode];
      rest = Math.floor(rest / sizes[mode]);
    }
  }
  return indices;
}

function drawInputs(spec: FactorizationSpec, samples: number, random: Random): Float32Array {
  const sizes = modeSizesOf(spec);
  const [rows, cols] = sizes;
  const perSample = spec.kind === "mf" ? rows * cols : sizes.length * Math.max(...sizes);
  const std = spec.kind === "mf" ? 1 / Math.sqrt(rows * cols) : 1 / Math.sqrt(sizes[0]);
  const inputs = new Float32Array(samples * perSample);
  random.fillNormal(inputs, 0, std);
  return inputs;
}
