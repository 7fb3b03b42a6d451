/** The determinant of the n×n row-major `matrix`, which is overwritten: LU with partial pivoting. */
export function determinant(matrix: Float64Array, n: number): number {
  let product = 1;
  for (let k = 0; k < n; k++) {
    const pivot = pivotRow(matrix, n, k);
    if (pivot !== k) {
      swapRows(matrix, n, pivot, k);
      product = -product;
    }
    const head = matrix[k * n + k];
    product *= head;
    if (product === 0) return 0;
    for (let i = k + 1; i < n; i++) {
      const factor = matrix[i * n + k] / head;
      for (let j = k; j < n; j++) matrix[i * n + j] -= factor * matrix[k * n + j];
    }
  }
  return product;
}

function pivotRow(matrix: Float64Array, n: number, k: number): number {
  let pivot = k;
  for (let i = k + 1; i < n; i++) {
    if (Math.abs(matrix[i * n + k]) > Math.abs(matrix[pivot * n + k])) pivot = i;
  }
  return pivot;
}

function swapRows(matrix: Float64Array, n: number, a: number, b: number): void {
  for (let j = 0; j < n; j++) {
    const kept = matrix[a * n + j];
    matrix[a * n + j] = matrix[b * n + j];
    matrix[b * n + j] = kept;
  }
}
