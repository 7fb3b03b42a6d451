// The mode tree of a factorization of order 5, and the metrics that are tracked along it.
import { createRandom } from "@implicit-rank/random";
import {
  createFactorization,
  createHierarchicalMetrics,
  hierarchicalSpec,
  initializeNormal,
  modeTreeOf,
  normalize,
  renderModeTree,
} from "@implicit-rank/tensor-factorization";

const spec = hierarchicalSpec({ modeSizes: [4, 3, 4, 2, 3], widths: [3, 3, 3] });
console.log(renderModeTree(modeTreeOf(spec)));

const factorization = { ...createFactorization(spec), spec };
initializeNormal(factorization, createRandom(1), { std: 1 });
normalize(factorization, 10);

const metrics = createHierarchicalMetrics(factorization, {
  numTopToTrack: 3,
  additionalMatricizations: [[0, 2]],
});
const values = new Float64Array(metrics.infos.length);
metrics.evaluate(values);
metrics.infos.forEach(({ name }, index) => {
  if (/eff_rank|local_comp_norm/.test(name)) console.log(`${name}: ${values[index]!.toFixed(3)}`);
});
