import {
  type Factorization,
  modeSizesOf,
  modeTreeOf,
  type Observations,
  parameterViews,
} from "../src/index.ts";

/**
 * The value of a factorization at one input, term by term as the models are defined: the slow,
 * independent formulation that everything else is tested against.
 *
 * @param input row-major matrix for MF; one vector a mode for CP and HT.
 */
export function valueByDefinition(factorization: Factorization, input: number[][]): number {
  const { spec } = factorization;
  const parameters = parameterViews(factorization).map((view) =>
    Array.from({ length: view.shape[0] }, (_, i) =>
      Array.from({ length: view.shape[1] }, (_, j) => view.get(i, j)),
    ),
  );
  if (spec.kind === "mf") {
    const product = parameters.reduce(multiplyMatrices);
    return sum(product.flatMap((row, i) => row.map((value, j) => value * input[i][j])));
  }
  const leaves = input.map((x, mode) => x.slice(0, spec.modeSizes[mode]));
  if (spec.kind === "cp") {
    const weights = spec.outputWeights ? parameters[leaves.length].flat() : undefined;
    return sum(
      Array.from({ length: spec.components }, (_, r) =>
        leaves.reduce(
          (product, x, n) => product * sum(x.map((value, i) => value * parameters[n][i][r])),
          weights?.[r] ?? 1,
        ),
      ),
    );
  }
  let next = 0;
  let activations = leaves;
  for (const layer of modeTreeOf(spec).layers) {
    const hidden = activations.map((a) => multiplyMatrices([a], parameters[next++])[0]);
    activations = layer.groups.map((group) =>
      hidden[group[0]].map((_, r) => group.reduce((product, node) => product * hidden[node][r], 1)),
    );
  }
  const output = spec.outputWeights ? parameters[next].flat() : activations[0].map(() => 1);
  return sum(activations[0].map((value, r) => value * output[r]));
}

function multiplyMatrices(a: number[][], b: number[][]): number[][] {
  return a.map((row) => b[0].map((_, j) => sum(row.map((value, k) => value * b[k][j]))));
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/** The inputs of all samples: encodings as they are, index tuples as one-hot vectors. */
export function denseInputs(
  factorization: Factorization,
  observations: Observations,
): number[][][] {
  const { spec } = factorization;
  const modeSizes = modeSizesOf(spec);
  const order = modeSizes.length;
  const largest = Math.max(...modeSizes);
  return Array.from({ length: observations.samples }, (_, s) => {
    if (observations.task === "completion") {
      return oneHotInput(factorization, [
        ...observations.indices.slice(s * order, (s + 1) * order),
      ]);
    }
    const [height, width] = spec.kind === "mf" ? modeSizes : [order, largest];
    return Array.from({ length: height }, (_, i) => [
      ...observations.inputs.slice((s * height + i) * width, (s * height + i + 1) * width),
    ]);
  });
}

export function oneHotInput(factorization: Factorization, tuple: number[]): number[][] {
  const modeSizes = modeSizesOf(factorization.spec);
  const oneHot = (size: number, one: number): number[] =>
    Array.from({ length: size }, (_, i) => (i === one ? 1 : 0));
  if (factorization.spec.kind !== "mf") return tuple.map((i, mode) => oneHot(modeSizes[mode], i));
  const [rows, cols] = modeSizes;
  return Array.from({ length: rows }, (_, i) =>
    i === tuple[0] ? oneHot(cols, tuple[1]) : oneHot(cols, -1),
  );
}

/** All index tuples in row-major order. */
export function allTuples(modeSizes: readonly number[]): number[][] {
  return modeSizes.reduce<number[][]>(
    (tuples, size) =>
      tuples.flatMap((tuple) => Array.from({ length: size }, (_, i) => [...tuple, i])),
    [[]],
  );
}
