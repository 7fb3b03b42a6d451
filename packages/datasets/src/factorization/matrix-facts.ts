import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { frobeniusNorm, type FactorizationDataset } from "./dataset.ts";

/**
 * What is worth knowing of a target matrix: its largest singular values (at most `count`, descending)
 * and its Frobenius norm. The cost is that of a dense SVD.
 */
export function matrixTargetFacts(
  dataset: Pick<FactorizationDataset, "modeSizes"> & { readonly targetTensor: Float32Array },
  count: number,
): { readonly singularValues: readonly number[]; readonly frobeniusNorm: number } {
  const [rows, cols] = dataset.modeSizes as readonly [number, number];
  const matrix = Matrix.from1DArray(rows, cols, dataset.targetTensor);
  const { diagonal } = new SingularValueDecomposition(matrix, {
    computeLeftSingularVectors: false,
    computeRightSingularVectors: false,
    autoTranspose: true,
  });
  return {
    singularValues: diagonal.slice(0, count),
    frobeniusNorm: frobeniusNorm(dataset.targetTensor),
  };
}
