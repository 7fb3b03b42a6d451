// Completes a 6 × 6 × 6 tensor from a third of its entries with a hierarchical factorization.
import { createRandom } from "@implicit-rank/random";
import {
  createFactorization,
  fullTensor,
  fusedEngine,
  groupRmsProp,
  hierarchicalSpec,
  initializeNormal,
} from "@implicit-rank/tensor-factorization";

/** Data of your own; this is sin(i + j) · cos(k), of rank 2 between modes {0} and {1, 2}. */
const entryAt = (i: number, j: number, k: number): number => Math.sin(i + j) * Math.cos(k);
const size = 6;
const entries = createRandom(1).sampleWithoutReplacement(size ** 3, 100);
const tuples = Array.from(
  entries,
  (n) => [Math.floor(n / 36), Math.floor(n / 6) % 6, n % 6] as const,
);

const spec = hierarchicalSpec({ modeSizes: [size, size, size], widths: [24, 24] });
const factorization = createFactorization(spec);
initializeNormal(factorization, createRandom(2), { std: 0.03 });
const training = await fusedEngine.compile(
  factorization,
  {
    task: "completion",
    indices: Int32Array.from(tuples.flat()),
    targets: Float32Array.from(tuples, (tuple) => entryAt(...tuple)),
    samples: tuples.length,
  },
  { kind: "l2" },
  groupRmsProp({ lr: 0.003 }),
);
for (let epoch = 0; epoch <= 6000; epoch++) {
  const { loss } = training.step();
  if (epoch % 1000 === 0)
    console.log(`epoch ${epoch}: mean squared error ${loss.toExponential(2)}`);
}

// The engine trains parameters of its own, in the memory of its kernels.
const completed = fullTensor(training.factorization);
training.dispose();
let squares = 0;
for (let i = 0; i < size; i++)
  for (let j = 0; j < size; j++)
    for (let k = 0; k < size; k++) squares += (completed.get(i, j, k) - entryAt(i, j, k)) ** 2;
console.log(
  `root mean squared error over all ${size ** 3} entries: ${Math.sqrt(squares / size ** 3).toExponential(2)}`,
);
