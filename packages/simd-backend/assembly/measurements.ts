import { addSample, clearSums, combineSums, storeSums } from "./losses";
import { addRow, clearRow } from "./rows";
import { multiplyAdd, sumLanes } from "./simd";
import { indexed, real, size, word } from "./tape";
import { leads, meet, memberIndex, members, PARTIALS, shareEnd, shareStart } from "./team";

// Four samples at a time. While the rows of one block stream in from memory for their predictions, the
// rows of the block before, still in the cache, are added to the gradient.

/**
 * The old rows are read this many columns ahead of the new ones. Rows of a power of two of bytes would
 * otherwise all compete for the same few lines of the first-level cache.
 */
const LEAD: u32 = 512;

let old0: usize = 0;
let old1: usize = 0;
let old2: usize = 0;
let old3: usize = 0;
let next0: usize = 0;
let next1: usize = 0;
let next2: usize = 0;
let next3: usize = 0;
// Predictions of the new rows, and derivatives of the loss by those of the old ones.
let p0: f32 = 0;
let p1: f32 = 0;
let p2: f32 = 0;
let p3: f32 = 0;
let e0: f32 = 0;
let e1: f32 = 0;
let e2: f32 = 0;
let e3: f32 = 0;

/**
 * For the samples s: prediction ⟨inputs[index[s]], weights⟩, loss against targets[index[s]];
 * gradient = Σ_s dloss/dprediction · inputs[index[s]].
 */
export function measure(record: usize): void {
  const rows = size(record, 0), length = size(record, 1);
  const sums = word(record, 11);
  const own = memberIndex();
  const gradient = own == 0 ? word(record, 10) : word(record, 13) + (own - 1) * (<usize>length << 2);
  clearRow(gradient, length);
  clearSums();
  measureShare(record, gradient, shareStart(rows, 4), shareEnd(rows, 4));
  storeSums(PARTIALS + own * 32);
  meet();
  if (leads()) combineSums(members, sums);
  if (members > 1) addPartialGradients(record, length);
}

function addPartialGradients(record: usize, length: u32): void {
  const first = shareStart(length, 16), count = shareEnd(length, 16) - first, offset = <usize>first << 2;
  for (let other: u32 = 1; other < members; other++) {
    addRow(word(record, 10) + offset, word(record, 13) + (other - 1) * (<usize>length << 2) + offset, count);
  }
}

function measureShare(record: usize, gradient: usize, first: u32, end: u32): void {
  if (first >= end) return;
  const length = size(record, 1), weights = word(record, 8);
  let block = first;
  selectNext(record, block, end);
  clearPredictions();
  predict(0, weights, length);
  judge(record, block, end);
  for (; block + 4 < end; block += 4) {
    selectOld(record, block, end);
    selectNext(record, block + 4, end);
    clearPredictions();
    if (length > LEAD) {
      accumulateAndPredict(LEAD, 0, weights, gradient, length - LEAD);
      accumulateAndPredict(0, length - LEAD, weights, gradient, LEAD);
    } else accumulateAndPredict(0, 0, weights, gradient, length);
    judge(record, block + 4, end);
  }
  selectOld(record, block, end);
  accumulate(gradient, length);
}

function selectOld(record: usize, block: u32, end: u32): void {
  old0 = rowAt(record, block, end);
  old1 = rowAt(record, block + 1, end);
  old2 = rowAt(record, block + 2, end);
  old3 = rowAt(record, block + 3, end);
}

function selectNext(record: usize, block: u32, end: u32): void {
  next0 = rowAt(record, block, end);
  next1 = rowAt(record, block + 1, end);
  next2 = rowAt(record, block + 2, end);
  next3 = rowAt(record, block + 3, end);
}

function clearPredictions(): void {
  p0 = 0;
  p1 = 0;
  p2 = 0;
  p3 = 0;
}

/** The input of a sample; past the end that of the last one, which then counts with factor 0. */
// @ts-ignore: decorator
@inline
function rowAt(record: usize, sample: u32, end: u32): usize {
  return word(record, 6) + indexed(word(record, 7), min<u32>(sample, end - 1)) * (<usize>size(record, 1) << 2);
}

/** Turns the predictions of a block into derivatives. */
function judge(record: usize, block: u32, end: u32): void {
  e0 = judgeSample(record, block, p0);
  e1 = block + 1 < end ? judgeSample(record, block + 1, p1) : 0;
  e2 = block + 2 < end ? judgeSample(record, block + 2, p2) : 0;
  e3 = block + 3 < end ? judgeSample(record, block + 3, p3) : 0;
}

function judgeSample(record: usize, sample: u32, prediction: f32): f32 {
  const target = load<f32>(word(record, 9) + (<usize>indexed(word(record, 7), sample) << 2));
  const predictions = word(record, 12);
  if (predictions != 0) store<f32>(predictions + (<usize>sample << 2), prediction);
  return addSample(word(record, 4), <f64>real(record, 5), 1 / <f64>size(record, 0), prediction, target);
}

/** p += ⟨next rows, weights⟩ over `length` columns from `column` on. */
function predict(column: u32, weights: usize, length: u32): void {
  const offset = <usize>column << 2;
  let row0 = next0 + offset, row1 = next1 + offset, row2 = next2 + offset, row3 = next3 + offset;
  weights += offset;
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  for (; length >= 4; length -= 4) {
    const w = v128.load(weights);
    s0 = multiplyAdd(v128.load(row0), w, s0);
    s1 = multiplyAdd(v128.load(row1), w, s1);
    s2 = multiplyAdd(v128.load(row2), w, s2);
    s3 = multiplyAdd(v128.load(row3), w, s3);
    row0 += 16; row1 += 16; row2 += 16; row3 += 16; weights += 16;
  }
  finishPredictions(s0, s1, s2, s3, row0, row1, row2, row3, weights, length);
}

function finishPredictions(
  s0: v128, s1: v128, s2: v128, s3: v128,
  row0: usize, row1: usize, row2: usize, row3: usize, weights: usize, rest: u32,
): void {
  p0 += sumLanes(s0);
  p1 += sumLanes(s1);
  p2 += sumLanes(s2);
  p3 += sumLanes(s3);
  for (; rest > 0; rest--) {
    const w = load<f32>(weights);
    p0 += load<f32>(row0) * w;
    p1 += load<f32>(row1) * w;
    p2 += load<f32>(row2) * w;
    p3 += load<f32>(row3) * w;
    row0 += 4; row1 += 4; row2 += 4; row3 += 4; weights += 4;
  }
}

/** gradient += Σ e · old row over `length` columns from `oldColumn` on, and predict() from `nextColumn` on. */
function accumulateAndPredict(oldColumn: u32, nextColumn: u32, weights: usize, gradient: usize, length: u32): void {
  const ahead = <usize>oldColumn << 2, offset = <usize>nextColumn << 2;
  let was0 = old0 + ahead, was1 = old1 + ahead, was2 = old2 + ahead, was3 = old3 + ahead;
  let row0 = next0 + offset, row1 = next1 + offset, row2 = next2 + offset, row3 = next3 + offset;
  weights += offset;
  gradient += ahead;
  const f0 = f32x4.splat(e0), f1 = f32x4.splat(e1), f2 = f32x4.splat(e2), f3 = f32x4.splat(e3);
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  const tail = length & 3;
  for (; length >= 4; length -= 4) {
    const w = v128.load(weights);
    s0 = multiplyAdd(v128.load(row0), w, s0);
    s1 = multiplyAdd(v128.load(row1), w, s1);
    s2 = multiplyAdd(v128.load(row2), w, s2);
    s3 = multiplyAdd(v128.load(row3), w, s3);
    let g = multiplyAdd(f0, v128.load(was0), v128.load(gradient));
    g = multiplyAdd(f1, v128.load(was1), g);
    g = multiplyAdd(f2, v128.load(was2), g);
    v128.store(gradient, multiplyAdd(f3, v128.load(was3), g));
    row0 += 16; row1 += 16; row2 += 16; row3 += 16; weights += 16;
    was0 += 16; was1 += 16; was2 += 16; was3 += 16; gradient += 16;
  }
  finishPredictions(s0, s1, s2, s3, row0, row1, row2, row3, weights, tail);
  finishGradient(was0, was1, was2, was3, gradient, tail);
}

function accumulate(gradient: usize, length: u32): void {
  let was0 = old0, was1 = old1, was2 = old2, was3 = old3;
  const f0 = f32x4.splat(e0), f1 = f32x4.splat(e1), f2 = f32x4.splat(e2), f3 = f32x4.splat(e3);
  for (; length >= 4; length -= 4) {
    let g = multiplyAdd(f0, v128.load(was0), v128.load(gradient));
    g = multiplyAdd(f1, v128.load(was1), g);
    g = multiplyAdd(f2, v128.load(was2), g);
    v128.store(gradient, multiplyAdd(f3, v128.load(was3), g));
    was0 += 16; was1 += 16; was2 += 16; was3 += 16; gradient += 16;
  }
  finishGradient(was0, was1, was2, was3, gradient, length);
}

function finishGradient(was0: usize, was1: usize, was2: usize, was3: usize, gradient: usize, rest: u32): void {
  for (; rest > 0; rest--) {
    const low = load<f32>(gradient) + e0 * load<f32>(was0) + e1 * load<f32>(was1);
    store<f32>(gradient, low + e2 * load<f32>(was2) + e3 * load<f32>(was3));
    was0 += 4; was1 += 4; was2 += 4; was3 += 4; gradient += 4;
  }
}
