import { addScaledRow, dot } from "./products.ts";

/** Computes eigenvalues of symmetric matrices of one size on arrays made once. */
export interface SymmetricEigensolver {
  /**
   * Eigenvalues of the n×n row-major symmetric `matrix`, in descending order; the matrix is
   * overwritten and the returned array reused.
   */
  solve(matrix: Float64Array): Float64Array;
}

/**
 * Householder reduction to tridiagonal form, then the implicit QL iteration with Wilkinson's shift
 * (Golub and Van Loan, "Matrix Computations", §8.3). Eigenvalues are exact to ε‖A‖, which is what a
 * backward stable method can give.
 */
export function createSymmetricEigensolver(n: number): SymmetricEigensolver {
  const diagonal = new Float64Array(n);
  const offDiagonal = new Float64Array(n);
  const reflector = new Float64Array(n);
  const update = new Float64Array(n);
  return {
    solve(matrix) {
      tridiagonalize(matrix, n, diagonal, offDiagonal, reflector, update);
      for (let l = 0; l < n; l++) deflate(diagonal, offDiagonal, l, n);
      return diagonal.sort().reverse();
    },
  };
}

/**
 * A ← H A H for reflections H = I - β v vᵀ that clear one column after another below the
 * subdiagonal, as A - v wᵀ - w vᵀ with p = β A v and w = p - (β/2)(pᵀv) v.
 */
function tridiagonalize(
  matrix: Float64Array,
  n: number,
  diagonal: Float64Array,
  offDiagonal: Float64Array,
  v: Float64Array,
  w: Float64Array,
): void {
  for (let k = 0; k < n; k++) {
    diagonal[k] = matrix[k * n + k];
    offDiagonal[k] = k + 1 < n ? matrix[k * n + k + 1] : 0;
    if (k + 2 >= n) continue;
    const start = k + 1;
    const length = n - start;
    const norm = Math.sqrt(dot(matrix, k * n + start, matrix, k * n + start, length));
    if (norm === 0) continue;
    for (let i = start; i < n; i++) v[i] = matrix[k * n + i];
    const pivot = v[start] > 0 ? -norm : norm;
    v[start] -= pivot;
    offDiagonal[k] = pivot;
    const beta = 2 / dot(v, start, v, start, length);
    for (let i = start; i < n; i++) w[i] = beta * dot(matrix, i * n + start, v, start, length);
    addScaledRow((-beta / 2) * dot(w, start, v, start, length), v, start, w, start, length);
    for (let i = start; i < n; i++) {
      const vi = v[i];
      const wi = w[i];
      const row = i * n;
      for (let j = start; j < n; j++) matrix[row + j] -= vi * w[j] + wi * v[j];
    }
  }
}

/** QL steps until the tridiagonal matrix splits below row l: diagonal[l] is an eigenvalue then. */
function deflate(diagonal: Float64Array, offDiagonal: Float64Array, l: number, n: number): void {
  for (;;) {
    const end = blockEnd(diagonal, offDiagonal, l, n);
    if (end === l) return;
    qlStep(diagonal, offDiagonal, l, end);
  }
}

/** The last row of the unreduced block that starts at l. */
function blockEnd(diagonal: Float64Array, offDiagonal: Float64Array, l: number, n: number): number {
  for (let m = l; m < n - 1; m++) {
    const neighbors = Math.abs(diagonal[m]) + Math.abs(diagonal[m + 1]);
    if (!(Math.abs(offDiagonal[m]) > Number.EPSILON * neighbors)) return m;
  }
  return n - 1;
}

/** One implicit QL sweep of Givens rotations from row `end` up to row l. */
function qlStep(diagonal: Float64Array, offDiagonal: Float64Array, l: number, end: number): void {
  const half = (diagonal[l + 1] - diagonal[l]) / (2 * offDiagonal[l]);
  const root = Math.sqrt(half * half + 1);
  const shift = diagonal[l] - offDiagonal[l] / (half + (half < 0 ? -root : root));
  let g = diagonal[end] - shift;
  let sine = 1;
  let cosine = 1;
  let moved = 0;
  for (let i = end - 1; i >= l; i--) {
    const f = sine * offDiagonal[i];
    const b = cosine * offDiagonal[i];
    const radius = Math.sqrt(f * f + g * g);
    offDiagonal[i + 1] = radius;
    if (radius === 0) {
      // Underflow: the block splits here.
      diagonal[i + 1] -= moved;
      offDiagonal[end] = 0;
      return;
    }
    sine = f / radius;
    cosine = g / radius;
    g = diagonal[i + 1] - moved;
    const r = (diagonal[i] - g) * sine + 2 * cosine * b;
    moved = sine * r;
    diagonal[i + 1] = g + moved;
    g = cosine * r - b;
  }
  diagonal[l] -= moved;
  offDiagonal[l] = g;
  offDiagonal[end] = 0;
}
