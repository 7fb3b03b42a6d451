import { multiplyTransposedLeft, multiplyTransposedRight } from "../linear-algebra/products.ts";
import { createSingularValueSolver } from "../linear-algebra/singular-values.ts";
import type { Factorization, Floats, ParameterLayout } from "../model/types.ts";
import { type MetricGroup, numberedInfos } from "./metric.ts";
import { frobeniusNorm } from "./norms.ts";

/**
 * ‖W_lᵀ W_l - W_{l+1} W_{l+1}ᵀ‖ for layers l and l + 1 (from 0) of a deep matrix factorization. It
 * is constant under gradient flow, hence stays small from a small start (Arora, Cohen, Hazan 2018).
 * `normalized` divides by the mean of the two norms.
 */
export function balancedness(
  factorization: Factorization,
  layer: number,
  normalized = false,
): number {
  return createBalancedness(factorization, layer)(normalized);
}

function createBalancedness(
  { layout, values }: Factorization,
  layer: number,
): (normalized: boolean) => number {
  const first = layout[layer];
  const second = layout[layer + 1];
  const size = first.cols;
  const firstCopy = new Float64Array(first.rows * size);
  const secondCopy = new Float64Array(size * second.cols);
  const inner = new Float64Array(size * size);
  const outer = new Float64Array(size * size);
  return (normalized) => {
    copyMatrix(values, first, firstCopy);
    copyMatrix(values, second, secondCopy);
    multiplyTransposedLeft(firstCopy, firstCopy, inner, first.rows, size, size);
    multiplyTransposedRight(secondCopy, secondCopy, outer, size, size, second.cols);
    const scale = normalized ? (frobeniusNorm(inner) + frobeniusNorm(outer)) / 2 : 1;
    for (let i = 0; i < inner.length; i++) inner[i] -= outer[i];
    return frobeniusNorm(inner) / scale;
  };
}

function copyMatrix(values: Floats, layout: ParameterLayout, out: Float64Array): void {
  for (let i = 0; i < out.length; i++) out[i] = values[layout.offset + i];
}

/** `balancedness_fro_dist_layers_{l}_{l+1}` of each pair of neighboring layers. */
export function balancednessGroup(factorization: Factorization): MetricGroup {
  const pairs = factorization.layout.slice(1).map((_, l) => createBalancedness(factorization, l));
  return {
    infos: numberedInfos(
      pairs.length,
      "Balancedness Fro Dist",
      (l) => `balancedness_fro_dist_layers_${l}_${l + 1}`,
    ),
    fill(out, at) {
      for (let l = 0; l < pairs.length; l++) out[at + l] = pairs[l](false);
    },
  };
}

/** `layer_{l}_entry_{i}_{j}_value` of the given entries, where a layer has them. */
export function layerEntriesGroup(
  { layout, values }: Factorization,
  entries: readonly (readonly [number, number])[],
): MetricGroup {
  const places = layout.flatMap(({ rows, cols, offset }, l) =>
    entries
      .filter(([i, j]) => i < rows && j < cols)
      .map(([i, j]) => ({ l, i, j, place: offset + i * cols + j })),
  );
  return {
    infos: places.map(({ l, i, j }) => ({
      name: `layer_${l}_entry_${i}_${j}_value`,
      tag: `Layer ${l} Values`,
    })),
    fill(out, at) {
      for (let p = 0; p < places.length; p++) out[at + p] = values[places[p].place];
    },
  };
}

/** `layer_{l}_singular_value_{k}` for the first `tracked` singular values of every layer. */
export function layerSpectrumGroup(
  { layout, values }: Factorization,
  tracked: number,
): MetricGroup {
  const solvers = layout.map(({ rows, cols }) =>
    createSingularValueSolver(Math.min(rows, cols), Math.max(rows, cols)),
  );
  const infos = solvers.flatMap(({ count }, l) =>
    numberedInfos(
      Math.min(tracked, count),
      "Layers Singular Values",
      (k) => `layer_${l}_singular_value_${k}`,
    ),
  );
  return {
    infos,
    fill(out, at) {
      let place = at;
      for (let l = 0; l < layout.length; l++) {
        copyWide(values, layout[l], solvers[l].matrix);
        const spectrum = solvers[l].solve();
        for (let k = 0; k < Math.min(tracked, spectrum.length); k++) out[place++] = spectrum[k];
      }
    },
  };
}

/** Copies a matrix, transposed if it has more rows than columns. */
function copyWide(values: Floats, layout: ParameterLayout, out: Float64Array): void {
  const { rows, cols, offset } = layout;
  if (rows <= cols) {
    copyMatrix(values, layout, out);
    return;
  }
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) out[j * rows + i] = values[offset + i * cols + j];
  }
}
