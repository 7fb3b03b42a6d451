import { multiplyAdd64, promoteHigh, sumLanes64 } from "./simd";
import { size, word } from "./tape";
import { memberIndex, members, scratch } from "./team";

// Float64 Gram matrices of float32 matrices, and eigenvalues of symmetric float64 matrices.

/** The Gram matrix over the smaller side: a·aᵀ when rows ≤ columns, else aᵀ·a. */
export function gramFloat64(record: usize): void {
  const rows = size(record, 0), columns = size(record, 1);
  const a = word(record, 4), stride = <usize>word(record, 5) << 2, out = word(record, 6);
  const order = min<u32>(rows, columns);
  // Pairs of rows are dealt to the threads in turn: row i of the upper triangle is n - i long.
  for (let row = memberIndex() * 2; row < order; row += members * 2) {
    for (let column = row; column < order; column += 2) {
      if (rows <= columns) rowPairs(a, stride, columns, row, column, order, out);
      else columnPairs(a, stride, rows, row, column, order, out);
    }
  }
}

/** Entries (row, column) … (row + 1, column + 1) of a·aᵀ. */
function rowPairs(a: usize, stride: usize, depth: u32, row: u32, column: u32, order: u32, out: usize): void {
  let i0 = a + row * stride, i1 = a + min<u32>(row + 1, order - 1) * stride;
  let j0 = a + column * stride, j1 = a + min<u32>(column + 1, order - 1) * stride;
  let s00 = f64x2.splat(0), s01 = f64x2.splat(0), s10 = f64x2.splat(0), s11 = f64x2.splat(0);
  for (; depth >= 4; depth -= 4) {
    const x0 = v128.load(i0), x1 = v128.load(i1), y0 = v128.load(j0), y1 = v128.load(j1);
    const x0Low = f64x2.promote_low_f32x4(x0), x1Low = f64x2.promote_low_f32x4(x1);
    const y0Low = f64x2.promote_low_f32x4(y0), y1Low = f64x2.promote_low_f32x4(y1);
    s00 = multiplyAdd64(x0Low, y0Low, s00);
    s01 = multiplyAdd64(x0Low, y1Low, s01);
    s10 = multiplyAdd64(x1Low, y0Low, s10);
    s11 = multiplyAdd64(x1Low, y1Low, s11);
    const x0High = promoteHigh(x0), x1High = promoteHigh(x1), y0High = promoteHigh(y0), y1High = promoteHigh(y1);
    s00 = multiplyAdd64(x0High, y0High, s00);
    s01 = multiplyAdd64(x0High, y1High, s01);
    s10 = multiplyAdd64(x1High, y0High, s10);
    s11 = multiplyAdd64(x1High, y1High, s11);
    i0 += 16; i1 += 16; j0 += 16; j1 += 16;
  }
  let t00 = sumLanes64(s00), t01 = sumLanes64(s01), t10 = sumLanes64(s10), t11 = sumLanes64(s11);
  for (; depth > 0; depth--) {
    const x0 = <f64>load<f32>(i0), x1 = <f64>load<f32>(i1), y0 = <f64>load<f32>(j0), y1 = <f64>load<f32>(j1);
    t00 += x0 * y0;
    t01 += x0 * y1;
    t10 += x1 * y0;
    t11 += x1 * y1;
    i0 += 4; i1 += 4; j0 += 4; j1 += 4;
  }
  storePairs(out, order, row, column, t00, t01, t10, t11);
}

/** Entries (row, column) … (row + 1, column + 1) of aᵀ·a. */
function columnPairs(a: usize, stride: usize, depth: u32, row: u32, column: u32, order: u32, out: usize): void {
  let i0 = a + (<usize>row << 2), i1 = a + (<usize>min<u32>(row + 1, order - 1) << 2);
  let j0 = a + (<usize>column << 2), j1 = a + (<usize>min<u32>(column + 1, order - 1) << 2);
  let t00: f64 = 0, t01: f64 = 0, t10: f64 = 0, t11: f64 = 0;
  for (; depth > 0; depth--) {
    const x0 = <f64>load<f32>(i0), x1 = <f64>load<f32>(i1), y0 = <f64>load<f32>(j0), y1 = <f64>load<f32>(j1);
    t00 += x0 * y0;
    t01 += x0 * y1;
    t10 += x1 * y0;
    t11 += x1 * y1;
    i0 += stride; i1 += stride; j0 += stride; j1 += stride;
  }
  storePairs(out, order, row, column, t00, t01, t10, t11);
}

function storePairs(
  out: usize, order: u32, row: u32, column: u32, t00: f64, t01: f64, t10: f64, t11: f64,
): void {
  const nextRow = row + 1 < order, nextColumn = column + 1 < order;
  storeMirrored(out, order, row, column, t00);
  if (nextColumn) storeMirrored(out, order, row, column + 1, t01);
  if (nextRow) storeMirrored(out, order, row + 1, column, t10);
  if (nextRow && nextColumn) storeMirrored(out, order, row + 1, column + 1, t11);
}

// @ts-ignore: decorator
@inline
function storeMirrored(out: usize, order: u32, row: u32, column: u32, value: f64): void {
  store<f64>(out + ((<usize>row * order + column) << 3), value);
  store<f64>(out + ((<usize>column * order + row) << 3), value);
}

/**
 * Eigenvalues of a symmetric n × n matrix, in descending order: Householder tridiagonalization, then implicit QL
 * with Wilkinson's shift (Golub & Van Loan, Matrix Computations, §8.3). Destroys the matrix.
 * False when the iteration does not converge (not-a-number or infinity in the input).
 */
export function symmetricEigenvalues(matrix: usize, n: u32, out: usize): bool {
  const bytes = <usize>n << 3;
  const offDiagonal = scratch, reflector = scratch + bytes, image = reflector + bytes;
  for (let k: u32 = 0; k < n; k++) {
    const row = matrix + (<usize>k * n) * 8;
    store<f64>(out + (<usize>k << 3), load<f64>(row + (<usize>k << 3)));
    store<f64>(offDiagonal + (<usize>k << 3), 0);
    if (k + 1 < n) {
      const beta = reflect(row + (<usize>(k + 1) << 3), n - k - 1, reflector, offDiagonal + (<usize>k << 3));
      if (beta != 0) updateTrailing(matrix + ((<usize>(k + 1) * n + k + 1) << 3), bytes, n - k - 1, reflector, image, beta);
    }
  }
  if (!diagonalize(out, offDiagonal, n)) return false;
  sortDescending(out, n);
  return true;
}

/** Householder vector v of x, x - β v vᵀ x = (±‖x‖, 0, …); stores ±‖x‖ and returns β. */
function reflect(x: usize, count: u32, v: usize, norm: usize): f64 {
  let tail: f64 = 0;
  for (let i: u32 = 1; i < count; i++) {
    const entry = load<f64>(x + (<usize>i << 3));
    store<f64>(v + (<usize>i << 3), entry);
    tail += entry * entry;
  }
  const head = load<f64>(x);
  if (tail == 0) {
    store<f64>(norm, head);
    return 0;
  }
  const length = sqrt(head * head + tail), signed = head > 0 ? -length : length;
  const first = head - signed;
  store<f64>(v, first);
  store<f64>(norm, signed);
  return 2 / (first * first + tail);
}

/** A -= v wᵀ + w vᵀ with p = β A v, w = p - (β/2)(pᵀv) v. */
function updateTrailing(a: usize, stride: usize, count: u32, v: usize, w: usize, beta: f64): void {
  let projection: f64 = 0;
  for (let i: u32 = 0; i < count; i++) {
    const p = beta * dot64(a + i * stride, v, count);
    store<f64>(w + (<usize>i << 3), p);
    projection += p * load<f64>(v + (<usize>i << 3));
  }
  projection *= 0.5 * beta;
  for (let i: u32 = 0; i < count; i++) {
    const at = w + (<usize>i << 3);
    store<f64>(at, load<f64>(at) - projection * load<f64>(v + (<usize>i << 3)));
  }
  for (let i: u32 = 0; i < count; i++) {
    subtractTwo(a + i * stride, w, load<f64>(v + (<usize>i << 3)), v, load<f64>(w + (<usize>i << 3)), count);
  }
}

// @ts-ignore: decorator
@inline
function dot64(a: usize, b: usize, count: u32): f64 {
  let s0 = f64x2.splat(0), s1 = f64x2.splat(0);
  for (; count >= 4; count -= 4) {
    s0 = multiplyAdd64(v128.load(a), v128.load(b), s0);
    s1 = multiplyAdd64(v128.load(a, 16), v128.load(b, 16), s1);
    a += 32; b += 32;
  }
  let total = sumLanes64(f64x2.add(s0, s1));
  for (; count > 0; count--) {
    total += load<f64>(a) * load<f64>(b);
    a += 8; b += 8;
  }
  return total;
}

/** a -= x·s + y·t. */
// @ts-ignore: decorator
@inline
function subtractTwo(a: usize, x: usize, s: f64, y: usize, t: f64, count: u32): void {
  const first = f64x2.splat(-s), second = f64x2.splat(-t);
  for (; count >= 2; count -= 2) {
    v128.store(a, multiplyAdd64(first, v128.load(x), multiplyAdd64(second, v128.load(y), v128.load(a))));
    a += 16; x += 16; y += 16;
  }
  if (count > 0) store<f64>(a, load<f64>(a) - s * load<f64>(x) - t * load<f64>(y));
}

/**
 * Implicit QL on diagonal d and off-diagonal e (e[i] between i and i + 1); d becomes the eigenvalues.
 * What is lost in rounding beside the largest entries counts as zero: in a Gram matrix of low rank the
 * small diagonal entries are noise of that size themselves, beside which the iteration would never end.
 */
function diagonalize(d: usize, e: usize, n: u32): bool {
  const norm = largestRow(d, e, n);
  if (!(norm < Infinity)) return false;
  const negligible = 1.1102230246251565e-16 * norm;
  for (let low: u32 = 0; low < n; low++) {
    for (let sweep = 0; ; sweep++) {
      const high = firstNegligible(e, negligible, low, n);
      if (high == low) break;
      if (sweep == 60) return false;
      chase(d, e, low, high);
    }
  }
  return true;
}

/** The largest sum of a diagonal entry and the off-diagonal one behind it: a norm of the matrix. */
function largestRow(d: usize, e: usize, n: u32): f64 {
  let largest: f64 = 0;
  for (let i: u32 = 0; i < n; i++) {
    const at = <usize>i << 3;
    largest = max(largest, abs(load<f64>(d + at)) + abs(load<f64>(e + at)));
  }
  return largest;
}

/** The first position from `low` on whose off-diagonal entry is negligible. */
function firstNegligible(e: usize, negligible: f64, low: u32, n: u32): u32 {
  let position = low;
  while (position + 1 < n && !(abs(load<f64>(e + (<usize>position << 3))) <= negligible)) position++;
  return position;
}

/** One sweep: the bulge of the shifted first rotation is chased from `high` up to `low`. */
function chase(d: usize, e: usize, low: u32, high: u32): void {
  const at = <usize>low << 3;
  const difference = (load<f64>(d + at, 8) - load<f64>(d + at)) / (2 * load<f64>(e + at));
  const root = sqrt(difference * difference + 1);
  const divisor = difference + (difference < 0 ? -root : root);
  let g = load<f64>(d + (<usize>high << 3)) - load<f64>(d + at) + load<f64>(e + at) / divisor;
  let sine: f64 = 1, cosine: f64 = 1, shift: f64 = 0;
  for (let i = high; i > low; i--) {
    const here = <usize>(i - 1) << 3;
    const off = load<f64>(e + here);
    const f = sine * off, b = cosine * off;
    const r = sqrt(f * f + g * g);
    store<f64>(e + here, r, 8);
    if (r == 0) {
      store<f64>(d + here, load<f64>(d + here, 8) - shift, 8);
      store<f64>(e + (<usize>high << 3), 0);
      return;
    }
    sine = f / r;
    cosine = g / r;
    g = load<f64>(d + here, 8) - shift;
    const t = (load<f64>(d + here) - g) * sine + 2 * cosine * b;
    shift = sine * t;
    store<f64>(d + here, g + shift, 8);
    g = cosine * t - b;
  }
  store<f64>(d + at, load<f64>(d + at) - shift);
  store<f64>(e + at, g);
  store<f64>(e + (<usize>high << 3), 0);
}

/** Insertion sort: QL leaves the values nearly in order. */
function sortDescending(values: usize, n: u32): void {
  for (let i: u32 = 1; i < n; i++) {
    const value = load<f64>(values + (<usize>i << 3));
    let at = i;
    for (; at > 0 && load<f64>(values + (<usize>(at - 1) << 3)) < value; at--) {
      store<f64>(values + (<usize>at << 3), load<f64>(values + (<usize>(at - 1) << 3)));
    }
    store<f64>(values + (<usize>at << 3), value);
  }
}
