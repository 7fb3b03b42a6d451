import { addSample, clearSums, combineSums, storeSums } from "./losses";
import { addRow, clearRow } from "./rows";
import { multiplyAdd, sumLanes } from "./simd";
import { indexed, real, size, word } from "./tape";
import { leads, meet, memberIndex, members, PARTIALS, scratch, shareEnd, shareStart } from "./team";

// Eight samples at a time: their predictions, for which the rows stream in from memory side by side (one
// stream alone would wait for memory at every page), then their share of the gradient, four rows at a
// time, while they are still in the cache.

const BLOCK: u32 = 8;

// Rows, predictions and derivatives of a block lie in scratch.
const ROWS: usize = 0;
const PREDICTIONS: usize = 32;
const DERIVATIVES: usize = 64;

/**
 * For the samples s: prediction ⟨inputs[index[s]], weights⟩, loss against targets[index[s]];
 * gradient = Σ_s dloss/dprediction · inputs[index[s]].
 */
export function measure(record: usize): void {
  const rows = size(record, 0), length = size(record, 1);
  const own = memberIndex();
  const gradient = own == 0 ? word(record, 10) : word(record, 13) + (own - 1) * (<usize>length << 2);
  clearRow(gradient, length);
  clearSums();
  const end = shareEnd(rows, BLOCK);
  for (let block = shareStart(rows, BLOCK); block < end; block += BLOCK) {
    selectRows(record, block, end);
    predict(word(record, 8), length);
    judge(record, block, end);
    accumulate(scratch, gradient, length);
    if (block + 4 < end) accumulate(scratch + 16, gradient, length);
  }
  storeSums(PARTIALS + own * 32);
  meet();
  if (leads()) combineSums(members, word(record, 11));
  if (members > 1) addPartialGradients(record, length);
}

function addPartialGradients(record: usize, length: u32): void {
  const first = shareStart(length, 16), count = shareEnd(length, 16) - first, offset = <usize>first << 2;
  for (let other: u32 = 1; other < members; other++) {
    addRow(word(record, 10) + offset, word(record, 13) + (other - 1) * (<usize>length << 2) + offset, count);
  }
}

/** Addresses of the inputs of a block; past the end that of the last one, which then counts with factor 0. */
function selectRows(record: usize, block: u32, end: u32): void {
  const inputs = word(record, 6), index = word(record, 7), rowBytes = <usize>size(record, 1) << 2;
  for (let i: u32 = 0; i < BLOCK; i++) {
    const sample = indexed(index, min<u32>(block + i, end - 1));
    store<u32>(scratch + ROWS + (i << 2), inputs + sample * rowBytes);
  }
}

/** Turns the predictions of a block into derivatives. */
function judge(record: usize, block: u32, end: u32): void {
  const index = word(record, 7), targets = word(record, 9), predictions = word(record, 12);
  const kind = word(record, 4), threshold = <f64>real(record, 5), inverse = 1 / <f64>size(record, 0);
  for (let i: u32 = 0; i < BLOCK; i++) {
    const sample = block + i, at = scratch + (i << 2);
    let derivative: f32 = 0;
    if (sample < end) {
      const prediction = load<f32>(at + PREDICTIONS);
      if (predictions != 0) store<f32>(predictions + (<usize>sample << 2), prediction);
      const target = load<f32>(targets + (<usize>indexed(index, sample) << 2));
      derivative = addSample(kind, threshold, inverse, prediction, target);
    }
    store<f32>(at + DERIVATIVES, derivative);
  }
}

/** Predictions of a block. */
function predict(weights: usize, length: u32): void {
  let row0 = <usize>load<u32>(scratch + ROWS);
  let row1 = <usize>load<u32>(scratch + ROWS, 4);
  let row2 = <usize>load<u32>(scratch + ROWS, 8);
  let row3 = <usize>load<u32>(scratch + ROWS, 12);
  let row4 = <usize>load<u32>(scratch + ROWS, 16);
  let row5 = <usize>load<u32>(scratch + ROWS, 20);
  let row6 = <usize>load<u32>(scratch + ROWS, 24);
  let row7 = <usize>load<u32>(scratch + ROWS, 28);
  let s0 = f32x4.splat(0), s1 = f32x4.splat(0), s2 = f32x4.splat(0), s3 = f32x4.splat(0);
  let s4 = f32x4.splat(0), s5 = f32x4.splat(0), s6 = f32x4.splat(0), s7 = f32x4.splat(0);
  for (; length >= 4; length -= 4) {
    const w = v128.load(weights);
    s0 = multiplyAdd(v128.load(row0), w, s0);
    s1 = multiplyAdd(v128.load(row1), w, s1);
    s2 = multiplyAdd(v128.load(row2), w, s2);
    s3 = multiplyAdd(v128.load(row3), w, s3);
    s4 = multiplyAdd(v128.load(row4), w, s4);
    s5 = multiplyAdd(v128.load(row5), w, s5);
    s6 = multiplyAdd(v128.load(row6), w, s6);
    s7 = multiplyAdd(v128.load(row7), w, s7);
    row0 += 16; row1 += 16; row2 += 16; row3 += 16;
    row4 += 16; row5 += 16; row6 += 16; row7 += 16;
    weights += 16;
  }
  const predictions = scratch + PREDICTIONS;
  store<f32>(predictions, sumLanes(s0) + dotRest(row0, weights, length));
  store<f32>(predictions, sumLanes(s1) + dotRest(row1, weights, length), 4);
  store<f32>(predictions, sumLanes(s2) + dotRest(row2, weights, length), 8);
  store<f32>(predictions, sumLanes(s3) + dotRest(row3, weights, length), 12);
  store<f32>(predictions, sumLanes(s4) + dotRest(row4, weights, length), 16);
  store<f32>(predictions, sumLanes(s5) + dotRest(row5, weights, length), 20);
  store<f32>(predictions, sumLanes(s6) + dotRest(row6, weights, length), 24);
  store<f32>(predictions, sumLanes(s7) + dotRest(row7, weights, length), 28);
}

/** ⟨row, weights⟩ over the last entries, fewer than four. */
function dotRest(row: usize, weights: usize, rest: u32): f32 {
  let sum: f32 = 0;
  for (let i: u32 = 0; i < rest; i++) sum += load<f32>(row + (i << 2)) * load<f32>(weights + (i << 2));
  return sum;
}

/** gradient += Σ derivative · row over four rows; `block` is where the first one's address lies. */
function accumulate(block: usize, gradient: usize, length: u32): void {
  let row0 = <usize>load<u32>(block + ROWS);
  let row1 = <usize>load<u32>(block + ROWS, 4);
  let row2 = <usize>load<u32>(block + ROWS, 8);
  let row3 = <usize>load<u32>(block + ROWS, 12);
  const e0 = load<f32>(block + DERIVATIVES);
  const e1 = load<f32>(block + DERIVATIVES, 4);
  const e2 = load<f32>(block + DERIVATIVES, 8);
  const e3 = load<f32>(block + DERIVATIVES, 12);
  const f0 = f32x4.splat(e0), f1 = f32x4.splat(e1), f2 = f32x4.splat(e2), f3 = f32x4.splat(e3);
  for (; length >= 4; length -= 4) {
    let g = multiplyAdd(f0, v128.load(row0), v128.load(gradient));
    g = multiplyAdd(f1, v128.load(row1), g);
    g = multiplyAdd(f2, v128.load(row2), g);
    v128.store(gradient, multiplyAdd(f3, v128.load(row3), g));
    row0 += 16; row1 += 16; row2 += 16; row3 += 16;
    gradient += 16;
  }
  for (; length > 0; length--) {
    const low = load<f32>(gradient) + e0 * load<f32>(row0) + e1 * load<f32>(row1);
    store<f32>(gradient, low + e2 * load<f32>(row2) + e3 * load<f32>(row3));
    row0 += 4; row1 += 4; row2 += 4; row3 += 4;
    gradient += 4;
  }
}
