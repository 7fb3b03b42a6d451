import { createRandom } from "@implicit-rank/random";
import { describe, expect, test } from "vitest";
import {
  balancedness,
  componentNorms,
  cpSpec,
  createFactorization,
  effectiveRank,
  type Factorization,
  type FactorizationSpec,
  fullTensor,
  groupRmsProp,
  initializeNormal,
  matrixSpec,
  modeSizesOf,
  normalize,
  normalizedReconstructionError,
  type Observations,
  plainEngine,
  singularValues,
} from "../src/index.ts";

/** A target of few components and so many of its entries, drawn without replacement. */
function completionProblem(
  targetSpec: FactorizationSpec,
  samples: number,
  norm: number,
): { target: Factorization; observations: Observations } {
  const target = createFactorization(targetSpec);
  const random = createRandom(3);
  initializeNormal(target, random, { std: 1 });
  normalize(target, norm);
  const { data } = fullTensor(target);
  const modeSizes = modeSizesOf(targetSpec);
  const entries = random.sampleWithoutReplacement(data.length, samples);
  const indices = Array.from(entries, (entry) => {
    const tuple: number[] = [];
    for (const size of modeSizes.toReversed()) {
      tuple.unshift(entry % size);
      entry = Math.floor(entry / size);
    }
    return tuple;
  });
  return {
    target,
    observations: {
      task: "completion",
      indices: Int32Array.from(indices.flat()),
      targets: Float32Array.from(entries, (entry) => data[entry]),
      samples,
    },
  };
}

async function fit(
  factorization: Factorization,
  observations: Observations,
  steps: number,
): Promise<void> {
  const loss = { kind: "l2" } as const;
  const training = await plainEngine.compile(factorization, observations, loss, groupRmsProp());
  for (let i = 0; i < steps; i++) training.step();
}

function errorOf(factorization: Factorization, target: Factorization): number {
  return normalizedReconstructionError(fullTensor(factorization).data, fullTensor(target).data);
}

describe("gradient descent from a small start finds low rank", () => {
  test("deep matrix factorization completes a matrix of rank 2 that it was not told of", async () => {
    const { target, observations } = completionProblem({ kind: "mf", sizes: [12, 2, 12] }, 90, 12);
    const spec = matrixSpec({ rows: 12, cols: 12 });
    const factorization = createFactorization(spec);
    initializeNormal(factorization, createRandom(1), { std: 1e-3 });
    await fit(factorization, observations, 6000);
    expect(errorOf(factorization, target)).toBeLessThan(0.01);
    expect(effectiveRank(singularValues(fullTensor(factorization)))).toBeLessThan(2.05);
    // Gradient flow conserves it; steps of finite size let it drift a little.
    expect(balancedness(factorization, 0, true)).toBeLessThan(0.05);
  });

  test("of 36 components of a CP factorization two grow", async () => {
    const targetSpec = cpSpec({ modeSizes: [6, 6, 6], components: 2 });
    const { target, observations } = completionProblem(targetSpec, 120, 10);
    const spec = cpSpec({ modeSizes: [6, 6, 6] });
    const factorization = createFactorization(spec);
    initializeNormal(factorization, createRandom(1), { std: 1e-3 });
    await fit(factorization, observations, 6000);
    const norms = componentNorms({ ...factorization, spec });
    expect(errorOf(factorization, target)).toBeLessThan(0.02);
    expect(norms[1]).toBeGreaterThan(1);
    expect(norms[2]).toBeLessThan(0.1);
  });
});
