import { multiplyAdd, sumLanes } from "./simd";

// Register tiles of the convolutions: the sum over the depth is cut into runs, each with addresses of its own, and
// stays in registers from the first run to the last. See gemm-kernels.ts for the sizes of the tiles.

// A run of the row tiles: the addresses of the left operand's six rows (four in the smaller tile), the depth, and
// where the run starts in the panel of the right operand, in bytes.
export const ROW_RUN_BYTES: usize = 32;
// A run of the column tiles: the address of the left operand, the depth, the start in the panel.
export const COLUMN_RUN_BYTES: usize = 12;

/** out = (low, high), added to what is there with `accumulate`. */
// @ts-ignore: decorator
@inline
function finish(out: usize, low: v128, high: v128, accumulate: bool): void {
  if (accumulate) {
    v128.store(out, f32x4.add(low, v128.load(out)));
    v128.store(out, f32x4.add(high, v128.load(out, 16)), 16);
  } else {
    v128.store(out, low);
    v128.store(out, high, 16);
  }
}

/** 6×8 tile: acc[i][j] = Σ_runs Σ_p left_i[p] · right[8p + j]; row i goes to outs[i] + offset. */
export function rowRuns6(
  runs: u32, run: usize, right: usize, outs: usize, offset: usize, accumulate: bool,
): void {
  let low0 = f32x4.splat(0), high0 = f32x4.splat(0);
  let low1 = f32x4.splat(0), high1 = f32x4.splat(0);
  let low2 = f32x4.splat(0), high2 = f32x4.splat(0);
  let low3 = f32x4.splat(0), high3 = f32x4.splat(0);
  let low4 = f32x4.splat(0), high4 = f32x4.splat(0);
  let low5 = f32x4.splat(0), high5 = f32x4.splat(0);
  for (; runs > 0; runs--) {
    let left0: usize = load<u32>(run), left1: usize = load<u32>(run, 4), left2: usize = load<u32>(run, 8);
    let left3: usize = load<u32>(run, 12), left4: usize = load<u32>(run, 16), left5: usize = load<u32>(run, 20);
    let depth = load<u32>(run, 24);
    let entries = right + load<u32>(run, 28);
    for (; depth > 0; depth--) {
      const rightLow = v128.load(entries), rightHigh = v128.load(entries, 16);
      let entry = v128.load32_splat(left0);
      low0 = multiplyAdd(entry, rightLow, low0);
      high0 = multiplyAdd(entry, rightHigh, high0);
      entry = v128.load32_splat(left1);
      low1 = multiplyAdd(entry, rightLow, low1);
      high1 = multiplyAdd(entry, rightHigh, high1);
      entry = v128.load32_splat(left2);
      low2 = multiplyAdd(entry, rightLow, low2);
      high2 = multiplyAdd(entry, rightHigh, high2);
      entry = v128.load32_splat(left3);
      low3 = multiplyAdd(entry, rightLow, low3);
      high3 = multiplyAdd(entry, rightHigh, high3);
      entry = v128.load32_splat(left4);
      low4 = multiplyAdd(entry, rightLow, low4);
      high4 = multiplyAdd(entry, rightHigh, high4);
      entry = v128.load32_splat(left5);
      low5 = multiplyAdd(entry, rightLow, low5);
      high5 = multiplyAdd(entry, rightHigh, high5);
      entries += 32;
      left0 += 4;
      left1 += 4;
      left2 += 4;
      left3 += 4;
      left4 += 4;
      left5 += 4;
    }
    run += ROW_RUN_BYTES;
  }
  finish(load<u32>(outs) + offset, low0, high0, accumulate);
  finish(load<u32>(outs, 4) + offset, low1, high1, accumulate);
  finish(load<u32>(outs, 8) + offset, low2, high2, accumulate);
  finish(load<u32>(outs, 12) + offset, low3, high3, accumulate);
  finish(load<u32>(outs, 16) + offset, low4, high4, accumulate);
  finish(load<u32>(outs, 20) + offset, low5, high5, accumulate);
}

/** 4×8 tile: acc[i][j] = Σ_runs Σ_p left_i[p] · right[8p + j]; row i goes to outs[i] + offset. */
export function rowRuns4(
  runs: u32, run: usize, right: usize, outs: usize, offset: usize, accumulate: bool,
): void {
  let low0 = f32x4.splat(0), high0 = f32x4.splat(0);
  let low1 = f32x4.splat(0), high1 = f32x4.splat(0);
  let low2 = f32x4.splat(0), high2 = f32x4.splat(0);
  let low3 = f32x4.splat(0), high3 = f32x4.splat(0);
  for (; runs > 0; runs--) {
    let left0: usize = load<u32>(run), left1: usize = load<u32>(run, 4);
    let left2: usize = load<u32>(run, 8), left3: usize = load<u32>(run, 12);
    let depth = load<u32>(run, 24);
    let entries = right + load<u32>(run, 28);
    for (; depth > 0; depth--) {
      const rightLow = v128.load(entries), rightHigh = v128.load(entries, 16);
      let entry = v128.load32_splat(left0);
      low0 = multiplyAdd(entry, rightLow, low0);
      high0 = multiplyAdd(entry, rightHigh, high0);
      entry = v128.load32_splat(left1);
      low1 = multiplyAdd(entry, rightLow, low1);
      high1 = multiplyAdd(entry, rightHigh, high1);
      entry = v128.load32_splat(left2);
      low2 = multiplyAdd(entry, rightLow, low2);
      high2 = multiplyAdd(entry, rightHigh, high2);
      entry = v128.load32_splat(left3);
      low3 = multiplyAdd(entry, rightLow, low3);
      high3 = multiplyAdd(entry, rightHigh, high3);
      entries += 32;
      left0 += 4;
      left1 += 4;
      left2 += 4;
      left3 += 4;
    }
    run += ROW_RUN_BYTES;
  }
  finish(load<u32>(outs) + offset, low0, high0, accumulate);
  finish(load<u32>(outs, 4) + offset, low1, high1, accumulate);
  finish(load<u32>(outs, 8) + offset, low2, high2, accumulate);
  finish(load<u32>(outs, 12) + offset, low3, high3, accumulate);
}

/**
 * 3×3 tile for right operands of few columns, each stored along the depth (columnBytes apart) and multiplied four entries
 * at a time; depths are multiples of 4. acc[i][j] = Σ_runs Σ_p left_i[p] · right_j[p]; the first `rows` rows and
 * `columns` columns are written to outs[i] + 4j.
 */
export function dotRuns3(
  runs: u32, run: usize, right: usize, columnBytes: usize, outs: usize, rows: u32, columns: u32, accumulate: bool,
): void {
  let s00 = f32x4.splat(0), s01 = f32x4.splat(0), s02 = f32x4.splat(0);
  let s10 = f32x4.splat(0), s11 = f32x4.splat(0), s12 = f32x4.splat(0);
  let s20 = f32x4.splat(0), s21 = f32x4.splat(0), s22 = f32x4.splat(0);
  const secondColumn = columns > 1 ? columnBytes : 0, thirdColumn = columns > 2 ? 2 * columnBytes : 0;
  for (; runs > 0; runs--) {
    let left0: usize = load<u32>(run), left1: usize = load<u32>(run, 4);
    let left2: usize = load<u32>(run, 8);
    let depth = load<u32>(run, 24);
    let right0 = right + (load<u32>(run, 28) >> 3);
    let right1 = right0 + secondColumn, right2 = right0 + thirdColumn;
    for (; depth > 0; depth -= 4) {
      const first = v128.load(right0), second = v128.load(right1), third = v128.load(right2);
      let entries = v128.load(left0);
      s00 = multiplyAdd(entries, first, s00);
      s01 = multiplyAdd(entries, second, s01);
      s02 = multiplyAdd(entries, third, s02);
      entries = v128.load(left1);
      s10 = multiplyAdd(entries, first, s10);
      s11 = multiplyAdd(entries, second, s11);
      s12 = multiplyAdd(entries, third, s12);
      entries = v128.load(left2);
      s20 = multiplyAdd(entries, first, s20);
      s21 = multiplyAdd(entries, second, s21);
      s22 = multiplyAdd(entries, third, s22);
      right0 += 16;
      right1 += 16;
      right2 += 16;
      left0 += 16;
      left1 += 16;
      left2 += 16;
    }
    run += ROW_RUN_BYTES;
  }
  finishDots(load<u32>(outs), s00, s01, s02, columns, accumulate);
  if (rows > 1) finishDots(load<u32>(outs, 4), s10, s11, s12, columns, accumulate);
  if (rows > 2) finishDots(load<u32>(outs, 8), s20, s21, s22, columns, accumulate);
}

// @ts-ignore: decorator
@inline
function finishDots(out: usize, first: v128, second: v128, third: v128, columns: u32, accumulate: bool): void {
  const a = sumLanes(first);
  store<f32>(out, accumulate ? a + load<f32>(out) : a);
  if (columns < 2) return;
  const b = sumLanes(second);
  store<f32>(out, accumulate ? b + load<f32>(out, 4) : b, 4);
  if (columns < 3) return;
  const c = sumLanes(third);
  store<f32>(out, accumulate ? c + load<f32>(out, 8) : c, 8);
}

/** 6×8 tile: acc[i][j] = Σ_runs Σ_p left[p·leftStep + 4i] · right[8p + j]. */
export function columnRuns6(
  runs: u32, run: usize, leftStep: usize, right: usize, out: usize, outStride: usize, accumulate: bool,
): void {
  let low0 = f32x4.splat(0), high0 = f32x4.splat(0);
  let low1 = f32x4.splat(0), high1 = f32x4.splat(0);
  let low2 = f32x4.splat(0), high2 = f32x4.splat(0);
  let low3 = f32x4.splat(0), high3 = f32x4.splat(0);
  let low4 = f32x4.splat(0), high4 = f32x4.splat(0);
  let low5 = f32x4.splat(0), high5 = f32x4.splat(0);
  for (; runs > 0; runs--) {
    let left: usize = load<u32>(run);
    let depth = load<u32>(run, 4);
    let entries = right + load<u32>(run, 8);
    for (; depth > 0; depth--) {
      const rightLow = v128.load(entries), rightHigh = v128.load(entries, 16);
      let entry = v128.load32_splat(left);
      low0 = multiplyAdd(entry, rightLow, low0);
      high0 = multiplyAdd(entry, rightHigh, high0);
      entry = v128.load32_splat(left, 4);
      low1 = multiplyAdd(entry, rightLow, low1);
      high1 = multiplyAdd(entry, rightHigh, high1);
      entry = v128.load32_splat(left, 8);
      low2 = multiplyAdd(entry, rightLow, low2);
      high2 = multiplyAdd(entry, rightHigh, high2);
      entry = v128.load32_splat(left, 12);
      low3 = multiplyAdd(entry, rightLow, low3);
      high3 = multiplyAdd(entry, rightHigh, high3);
      entry = v128.load32_splat(left, 16);
      low4 = multiplyAdd(entry, rightLow, low4);
      high4 = multiplyAdd(entry, rightHigh, high4);
      entry = v128.load32_splat(left, 20);
      low5 = multiplyAdd(entry, rightLow, low5);
      high5 = multiplyAdd(entry, rightHigh, high5);
      entries += 32;
      left += leftStep;
    }
    run += COLUMN_RUN_BYTES;
  }
  finish(out, low0, high0, accumulate);
  out += outStride;
  finish(out, low1, high1, accumulate);
  out += outStride;
  finish(out, low2, high2, accumulate);
  out += outStride;
  finish(out, low3, high3, accumulate);
  out += outStride;
  finish(out, low4, high4, accumulate);
  out += outStride;
  finish(out, low5, high5, accumulate);
}

/** 4×8 tile: acc[i][j] = Σ_runs Σ_p left[p·leftStep + 4i] · right[8p + j]. */
export function columnRuns4(
  runs: u32, run: usize, leftStep: usize, right: usize, out: usize, outStride: usize, accumulate: bool,
): void {
  let low0 = f32x4.splat(0), high0 = f32x4.splat(0);
  let low1 = f32x4.splat(0), high1 = f32x4.splat(0);
  let low2 = f32x4.splat(0), high2 = f32x4.splat(0);
  let low3 = f32x4.splat(0), high3 = f32x4.splat(0);
  for (; runs > 0; runs--) {
    let left: usize = load<u32>(run);
    let depth = load<u32>(run, 4);
    let entries = right + load<u32>(run, 8);
    for (; depth > 0; depth--) {
      const rightLow = v128.load(entries), rightHigh = v128.load(entries, 16);
      let entry = v128.load32_splat(left);
      low0 = multiplyAdd(entry, rightLow, low0);
      high0 = multiplyAdd(entry, rightHigh, high0);
      entry = v128.load32_splat(left, 4);
      low1 = multiplyAdd(entry, rightLow, low1);
      high1 = multiplyAdd(entry, rightHigh, high1);
      entry = v128.load32_splat(left, 8);
      low2 = multiplyAdd(entry, rightLow, low2);
      high2 = multiplyAdd(entry, rightHigh, high2);
      entry = v128.load32_splat(left, 12);
      low3 = multiplyAdd(entry, rightLow, low3);
      high3 = multiplyAdd(entry, rightHigh, high3);
      entries += 32;
      left += leftStep;
    }
    run += COLUMN_RUN_BYTES;
  }
  finish(out, low0, high0, accumulate);
  out += outStride;
  finish(out, low1, high1, accumulate);
  out += outStride;
  finish(out, low2, high2, accumulate);
  out += outStride;
  finish(out, low3, high3, accumulate);
}
