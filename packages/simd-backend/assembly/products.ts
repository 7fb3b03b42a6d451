import { multiplyAdd, sumLanes } from "./simd";
import {
  addFourScaledRows, addProductRow, addRow, addScaledRow, addTripleProductRow, addTwoProductRows,
  clearRow, copyRow, multiplyRows, multiplyThreeRows,
} from "./rows";
import { indexed, real, size, word } from "./tape";
import { scratch, shareEnd, shareStart } from "./team";

// Products of gathered rows, and their gradients. Factor c of a record: values at word 8 + 2c, index at 9 + 2c.

/** Products of four and more factors are formed in scratch, this many columns at a time. */
const COLUMN_BLOCK: u32 = 4096;

// @ts-ignore: decorator
@inline
function factorRow(record: usize, factor: usize, row: u32, rowBytes: usize): usize {
  return word(record, 8 + 2 * factor) + indexed(word(record, 9 + 2 * factor), row) * rowBytes;
}

/** out[r, :] = Π_c values_c[index_c[r], :]. */
export function gatherProduct(record: usize): void {
  const rows = size(record, 0), width = size(record, 1), factors = size(record, 2);
  const rowBytes = <usize>width << 2, out = word(record, 4);
  const end = shareEnd(rows, 1);
  for (let row = shareStart(rows, 1); row < end; row++) {
    multiplyFactors(record, factors, row, rowBytes, 0, out + row * rowBytes, width);
  }
}

/** target = the product of the factors' rows, from column byte `offset` on. */
function multiplyFactors(
  record: usize, factors: u32, row: u32, rowBytes: usize, offset: usize, target: usize, width: u32,
): void {
  const first = factorRow(record, 0, row, rowBytes) + offset;
  if (factors == 1) {
    copyRow(target, first, width);
    return;
  }
  const second = factorRow(record, 1, row, rowBytes) + offset;
  if (factors == 2) {
    multiplyRows(target, first, second, width);
    return;
  }
  multiplyThreeRows(target, first, second, factorRow(record, 2, row, rowBytes) + offset, width);
  for (let factor: u32 = 3; factor < factors; factor++) {
    multiplyRows(target, target, factorRow(record, factor, row, rowBytes) + offset, width);
  }
}

/** out[q, :] = Σ over q's list of upstream[i, :] · Π_c values_c[index_c[i], :]. */
export function scatterProduct(record: usize): void {
  const rows = size(record, 0), width = size(record, 1), factors = size(record, 2);
  const out = word(record, 4), start = word(record, 5);
  const rowBytes = <usize>width << 2;
  const end = balancedEnd(start, rows);
  for (let row = balancedStart(start, rows); row < end; row++) {
    const first = load<u32>(start + (<usize>row << 2)), last = load<u32>(start + (<usize>row << 2), 4);
    const target = out + row * rowBytes;
    clearRow(target, width);
    if (factors == 0) scatterPlain(record, target, first, last, rowBytes, width);
    else if (factors == 1) scatterOne(record, target, first, last, rowBytes, width);
    else if (factors == 2) scatterTwo(record, target, first, last, rowBytes, width);
    else scatterMany(record, factors, target, first, last, rowBytes, width);
  }
}

function scatterPlain(record: usize, target: usize, first: u32, last: u32, rowBytes: usize, width: u32): void {
  const list = word(record, 6), upstream = word(record, 7);
  for (let entry = first; entry < last; entry++) {
    addRow(target, upstream + indexed(list, entry) * rowBytes, width);
  }
}

function scatterOne(record: usize, target: usize, first: u32, last: u32, rowBytes: usize, width: u32): void {
  const list = word(record, 6), upstream = word(record, 7);
  let entry = first;
  for (; entry + 2 <= last; entry += 2) {
    const i = indexed(list, entry), j = indexed(list, entry + 1);
    addTwoProductRows(
      target, upstream + i * rowBytes, factorRow(record, 0, i, rowBytes),
      upstream + j * rowBytes, factorRow(record, 0, j, rowBytes), width,
    );
  }
  if (entry < last) {
    const i = indexed(list, entry);
    addProductRow(target, upstream + i * rowBytes, factorRow(record, 0, i, rowBytes), width);
  }
}

function scatterTwo(record: usize, target: usize, first: u32, last: u32, rowBytes: usize, width: u32): void {
  const list = word(record, 6), upstream = word(record, 7);
  for (let entry = first; entry < last; entry++) {
    const i = indexed(list, entry);
    addTripleProductRow(
      target, upstream + i * rowBytes, factorRow(record, 0, i, rowBytes), factorRow(record, 1, i, rowBytes), width,
    );
  }
}

function scatterMany(
  record: usize, factors: u32, target: usize, first: u32, last: u32, rowBytes: usize, width: u32,
): void {
  const list = word(record, 6), upstream = word(record, 7);
  for (let entry = first; entry < last; entry++) {
    const i = indexed(list, entry);
    for (let column: u32 = 0; column < width; column += COLUMN_BLOCK) {
      const count = min<u32>(COLUMN_BLOCK, width - column), offset = <usize>column << 2;
      multiplyFactors(record, factors, i, rowBytes, offset, scratch, count);
      addProductRow(target + offset, upstream + i * rowBytes + offset, scratch, count);
    }
  }
}

/** Rows of a compressed list are shared so that every thread has about as many entries. */
function balancedStart(start: usize, rows: u32): u32 {
  const entries = load<u32>(start + (<usize>rows << 2)) + rows;
  return firstRowFrom(start, rows, shareStart(entries, 1));
}

function balancedEnd(start: usize, rows: u32): u32 {
  const entries = load<u32>(start + (<usize>rows << 2)) + rows;
  return firstRowFrom(start, rows, shareEnd(entries, 1));
}

/** The first row before which lie at least `entries` entries, each row counting as one more. */
function firstRowFrom(start: usize, rows: u32, entries: u32): u32 {
  let low: u32 = 0, high = rows;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (load<u32>(start + (<usize>middle << 2)) + middle < entries) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** out[q, :] = alpha · Σ over q's list of scale[i] · values[index[i], :]. */
export function scatterScaled(record: usize): void {
  const rows = size(record, 0), width = size(record, 1);
  const out = word(record, 4), start = word(record, 5), list = word(record, 6), scale = word(record, 7);
  const values = word(record, 8), index = word(record, 9), alpha = real(record, 10);
  const rowBytes = <usize>width << 2;
  const end = balancedEnd(start, rows);
  for (let row = balancedStart(start, rows); row < end; row++) {
    const last = load<u32>(start + (<usize>row << 2), 4);
    const target = out + row * rowBytes;
    let entry = load<u32>(start + (<usize>row << 2));
    clearRow(target, width);
    for (; entry + 4 <= last; entry += 4) {
      const i = indexed(list, entry), j = indexed(list, entry + 1);
      const k = indexed(list, entry + 2), l = indexed(list, entry + 3);
      addFourScaledRows(
        target,
        values + indexed(index, i) * rowBytes, alpha * load<f32>(scale + (<usize>i << 2)),
        values + indexed(index, j) * rowBytes, alpha * load<f32>(scale + (<usize>j << 2)),
        values + indexed(index, k) * rowBytes, alpha * load<f32>(scale + (<usize>k << 2)),
        values + indexed(index, l) * rowBytes, alpha * load<f32>(scale + (<usize>l << 2)),
        width,
      );
    }
    for (; entry < last; entry++) {
      const i = indexed(list, entry);
      addScaledRow(target, values + indexed(index, i) * rowBytes, alpha * load<f32>(scale + (<usize>i << 2)), width);
    }
  }
}

/** out[s] = Σ_k left[leftIndex[s], k] · right[rightIndex[s], k] · weights[k]. */
export function sampledDot(record: usize): void {
  const count = size(record, 0), width = size(record, 1);
  const out = word(record, 4), left = word(record, 5), leftIndex = word(record, 6);
  const right = word(record, 7), rightIndex = word(record, 8), weights = word(record, 9);
  const rowBytes = <usize>width << 2;
  const end = shareEnd(count, 16);
  for (let sample = shareStart(count, 16); sample < end; sample++) {
    const a = left + indexed(leftIndex, sample) * rowBytes, b = right + indexed(rightIndex, sample) * rowBytes;
    store<f32>(out + (<usize>sample << 2), weights == 0 ? dotRows(a, b, width) : weightedDotRows(a, b, weights, width));
  }
}

// @ts-ignore: decorator
@inline
function dotRows(a: usize, b: usize, width: u32): f32 {
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  for (; width >= 16; width -= 16) {
    s0 = multiplyAdd(v128.load(a), v128.load(b), s0);
    s1 = multiplyAdd(v128.load(a, 16), v128.load(b, 16), s1);
    s2 = multiplyAdd(v128.load(a, 32), v128.load(b, 32), s2);
    s3 = multiplyAdd(v128.load(a, 48), v128.load(b, 48), s3);
    a += 64; b += 64;
  }
  for (; width >= 4; width -= 4) {
    s0 = multiplyAdd(v128.load(a), v128.load(b), s0);
    a += 16; b += 16;
  }
  let total = sumLanes(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (; width > 0; width--) {
    total += load<f32>(a) * load<f32>(b);
    a += 4; b += 4;
  }
  return total;
}

// @ts-ignore: decorator
@inline
function weightedDotRows(a: usize, b: usize, weights: usize, width: u32): f32 {
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0);
  for (; width >= 8; width -= 8) {
    s0 = multiplyAdd(f32x4.mul(v128.load(a), v128.load(b)), v128.load(weights), s0);
    s1 = multiplyAdd(f32x4.mul(v128.load(a, 16), v128.load(b, 16)), v128.load(weights, 16), s1);
    a += 32; b += 32; weights += 32;
  }
  let total = sumLanes(f32x4.add(s0, s1));
  for (; width > 0; width--) {
    total += load<f32>(a) * load<f32>(b) * load<f32>(weights);
    a += 4; b += 4; weights += 4;
  }
  return total;
}

/** out[i·rightRows + j, :] = left[i, :] · right[j, :]. */
export function khatriRao(record: usize): void {
  const leftRows = size(record, 0), rightRows = size(record, 1), width = size(record, 2);
  const out = word(record, 4), left = word(record, 5), right = word(record, 6);
  const rowBytes = <usize>width << 2, rows = leftRows * rightRows;
  const end = shareEnd(rows, 1);
  for (let row = shareStart(rows, 1); row < end; row++) {
    multiplyRows(out + row * rowBytes, left + (row / rightRows) * rowBytes, right + (row % rightRows) * rowBytes, width);
  }
}

/** out[i, :] = Σ_j upstream[i·rightRows + j, :] · right[j, :]. */
export function khatriRaoGradientLeft(record: usize): void {
  const leftRows = size(record, 0), rightRows = size(record, 1), width = size(record, 2);
  const out = word(record, 4), upstream = word(record, 5), right = word(record, 6);
  const rowBytes = <usize>width << 2;
  const end = shareEnd(leftRows, 1);
  for (let row = shareStart(leftRows, 1); row < end; row++) {
    sumProducts(out + row * rowBytes, upstream + row * rightRows * rowBytes, rowBytes, right, rowBytes, rightRows, width);
  }
}

/** out[j, :] = Σ_i upstream[i·rightRows + j, :] · left[i, :]. */
export function khatriRaoGradientRight(record: usize): void {
  const leftRows = size(record, 0), rightRows = size(record, 1), width = size(record, 2);
  const out = word(record, 4), upstream = word(record, 5), left = word(record, 6);
  const rowBytes = <usize>width << 2;
  const end = shareEnd(rightRows, 1);
  for (let row = shareStart(rightRows, 1); row < end; row++) {
    sumProducts(out + row * rowBytes, upstream + row * rowBytes, rightRows * rowBytes, left, rowBytes, leftRows, width);
  }
}

/** target = Σ_t a_t · b_t over rows at fixed strides. */
function sumProducts(
  target: usize, a: usize, aStride: usize, b: usize, bStride: usize, count: u32, width: u32,
): void {
  clearRow(target, width);
  for (; count >= 2; count -= 2) {
    addTwoProductRows(target, a, b, a + aStride, b + bStride, width);
    a += 2 * aStride;
    b += 2 * bStride;
  }
  if (count > 0) addProductRow(target, a, b, width);
}
