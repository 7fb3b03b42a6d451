/**
 * Products of row-major matrices in double precision, with loops ordered so that every inner loop
 * runs over contiguous numbers, and unrolled so that what is loaded once is used several times.
 * All write `out` whole and allocate nothing.
 */

/** out (n×m) = A (n×k) · B (k×m). */
export function multiply(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  n: number,
  k: number,
  m: number,
): void {
  out.fill(0, 0, n * m);
  addStridedProduct(a, k, 1, b, out, n, k, m);
}

/** out (k×m) = Aᵀ · B for A (n×k), B (n×m). */
export function multiplyTransposedLeft(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  n: number,
  k: number,
  m: number,
): void {
  out.fill(0, 0, k * m);
  addStridedProduct(a, 1, k, b, out, k, n, m);
}

/**
 * out (n×m) += A · B, where A[i, j] lies at i·rowStride + j·colStride: two rows of `out` take four
 * rows of B at a time.
 */
function addStridedProduct(
  a: Float64Array,
  rowStride: number,
  colStride: number,
  b: Float64Array,
  out: Float64Array,
  n: number,
  k: number,
  m: number,
): void {
  let i = 0;
  for (; i + 1 < n; i += 2) {
    const row0 = i * rowStride;
    const row1 = row0 + rowStride;
    let j = 0;
    for (; j + 3 < k; j += 4) {
      const col0 = j * colStride;
      const col1 = col0 + colStride;
      const col2 = col1 + colStride;
      const col3 = col2 + colStride;
      const p0 = a[row0 + col0];
      const p1 = a[row0 + col1];
      const p2 = a[row0 + col2];
      const p3 = a[row0 + col3];
      const q0 = a[row1 + col0];
      const q1 = a[row1 + col1];
      const q2 = a[row1 + col2];
      const q3 = a[row1 + col3];
      const out0 = i * m;
      const out1 = out0 + m;
      const b0 = j * m;
      const b1 = b0 + m;
      const b2 = b1 + m;
      const b3 = b2 + m;
      for (let c = 0; c < m; c++) {
        const x0 = b[b0 + c];
        const x1 = b[b1 + c];
        const x2 = b[b2 + c];
        const x3 = b[b3 + c];
        out[out0 + c] += p0 * x0 + p1 * x1 + p2 * x2 + p3 * x3;
        out[out1 + c] += q0 * x0 + q1 * x1 + q2 * x2 + q3 * x3;
      }
    }
    for (; j < k; j++) {
      addScaledRow(a[row0 + j * colStride], b, j * m, out, i * m, m);
      addScaledRow(a[row1 + j * colStride], b, j * m, out, (i + 1) * m, m);
    }
  }
  for (; i < n; i++) {
    for (let j = 0; j < k; j++) {
      addScaledRow(a[i * rowStride + j * colStride], b, j * m, out, i * m, m);
    }
  }
}

/** out[at … at+length) += scale · x[from … from+length). */
export function addScaledRow(
  scale: number,
  x: Float64Array,
  from: number,
  out: Float64Array,
  at: number,
  length: number,
): void {
  for (let c = 0; c < length; c++) out[at + c] += scale * x[from + c];
}

/** out (n×k) = A · Bᵀ for A (n×m), B (k×m): dot products, two rows of A with two of B at a time. */
export function multiplyTransposedRight(
  a: Float64Array,
  b: Float64Array,
  out: Float64Array,
  n: number,
  k: number,
  m: number,
): void {
  let i = 0;
  for (; i + 1 < n; i += 2) {
    const a0 = i * m;
    const a1 = a0 + m;
    let j = 0;
    for (; j + 1 < k; j += 2) {
      const b0 = j * m;
      const b1 = b0 + m;
      let s00 = 0;
      let s01 = 0;
      let s10 = 0;
      let s11 = 0;
      for (let c = 0; c < m; c++) {
        const x0 = a[a0 + c];
        const x1 = a[a1 + c];
        const y0 = b[b0 + c];
        const y1 = b[b1 + c];
        s00 += x0 * y0;
        s01 += x0 * y1;
        s10 += x1 * y0;
        s11 += x1 * y1;
      }
      out[i * k + j] = s00;
      out[i * k + j + 1] = s01;
      out[(i + 1) * k + j] = s10;
      out[(i + 1) * k + j + 1] = s11;
    }
    for (; j < k; j++) {
      out[i * k + j] = dot(a, a0, b, j * m, m);
      out[(i + 1) * k + j] = dot(a, a1, b, j * m, m);
    }
  }
  for (; i < n; i++) {
    for (let j = 0; j < k; j++) out[i * k + j] = dot(a, i * m, b, j * m, m);
  }
}

/** Σ a[aStart + c] · b[bStart + c] over c < length. */
export function dot(
  a: Float64Array,
  aStart: number,
  b: Float64Array,
  bStart: number,
  length: number,
): number {
  let sum = 0;
  for (let c = 0; c < length; c++) sum += a[aStart + c] * b[bStart + c];
  return sum;
}
