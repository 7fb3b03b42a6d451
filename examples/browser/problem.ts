import { createRandom } from "@implicit-rank/random";
import {
  componentNorms,
  type CpSpec,
  cpSpec,
  createFactorization,
  type Factorization,
  fullTensor,
  initializeNormal,
  normalize,
  type Observations,
} from "@implicit-rank/tensor-factorization";
import type { Settings } from "./settings.ts";

/** A tensor of low rank, some entries of which are observed, and a factorization to complete it. */
export interface Problem {
  readonly factorization: Factorization & { readonly spec: CpSpec };
  readonly observed: Observations;
  /** The other entries, or all of them where none is hidden. */
  readonly unseen: Observations;
  /** Norms of the components that the target is made of, descending. */
  readonly targetNorms: readonly number[];
}

/** Draws a target whose entries have a mean square of one, and what is observed of it. */
export function drawProblem(settings: Settings): Problem {
  const { order, modeSize, rank, components, seed } = settings;
  const modeSizes = Array<number>(order).fill(modeSize);
  const entries = modeSize ** order;
  const random = createRandom(seed);

  const targetSpec = cpSpec({ modeSizes, components: rank });
  const target = { ...createFactorization(targetSpec), spec: targetSpec };
  initializeNormal(target, random.fork("target"), { std: 1 });
  normalize(target, Math.sqrt(entries));
  const values = fullTensor(target).data;

  const drawn = random.fork("entries").sampleWithoutReplacement(entries, entries);
  const cut = Math.round((entries * settings.observed) / 100);
  const observe = (chosen: Int32Array): Observations => ({
    task: "completion",
    indices: Int32Array.from(
      Array.from(chosen).flatMap((entry) =>
        modeSizes.map((_, mode) => Math.floor(entry / modeSize ** (order - 1 - mode)) % modeSize),
      ),
    ),
    targets: Float32Array.from(chosen, (entry) => values[entry]!),
    samples: chosen.length,
  });

  const spec = cpSpec({ modeSizes, components });
  const factorization = { ...createFactorization(spec), spec };
  initializeNormal(factorization, random.fork("start"), { std: settings.initialScale });
  return {
    factorization,
    observed: observe(drawn.subarray(0, cut)),
    unseen: observe(cut < entries ? drawn.subarray(cut) : drawn),
    targetNorms: [...componentNorms(target)],
  };
}
