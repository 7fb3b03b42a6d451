import { multiplyAdd } from "./simd";

// Register tiles. V8 keeps 15 vector registers: 12 accumulators, two vectors of the right operand and one
// broadcast entry of the left one just fit with a fused multiply-add; the plain variant needs a register
// more for the product and takes the 4×8 tiles. The loops are not unrolled over the depth: V8 would put
// the multiply-adds of one accumulator next to each other, and they would wait for one another.

/**
 * out[0..8) = alpha·(low, high) + beta·out; with beta 0, out is not read. Rounded like an edge tile (no fused
 * addition), so that an entry does not depend on the tile it falls in, hence not on the thread count.
 */
// @ts-ignore: decorator
@inline
function finishRow(out: usize, low: v128, high: v128, factor: v128, beta: f32): void {
  if (beta == 0) {
    v128.store(out, f32x4.mul(low, factor));
    v128.store(out, f32x4.mul(high, factor), 16);
  } else if (beta == 1) {
    v128.store(out, f32x4.add(f32x4.mul(low, factor), v128.load(out)));
    v128.store(out, f32x4.add(f32x4.mul(high, factor), v128.load(out, 16)), 16);
  } else {
    const weight = f32x4.splat(beta);
    v128.store(out, f32x4.add(f32x4.mul(low, factor), f32x4.mul(weight, v128.load(out))));
    v128.store(out, f32x4.add(f32x4.mul(high, factor), f32x4.mul(weight, v128.load(out, 16))), 16);
  }
}

/**
 * 6×8 tile, left operand read along rows: acc[i][j] = Σ_p left[i·leftStride + 4p] · right[p·rightStep + 4j].
 * Rows past `rows` repeat the last one; their results are for the caller to drop.
 */
export function rowsKernel6(
  depth: u32, left: usize, leftStride: usize, rows: u32, right: usize, rightStep: usize,
  out: usize, outStride: usize, alpha: f32, beta: f32,
): void {
  let left0 = left;
  let left1 = left + min<u32>(1, rows - 1) * leftStride;
  let left2 = left + min<u32>(2, rows - 1) * leftStride;
  let left3 = left + min<u32>(3, rows - 1) * leftStride;
  let left4 = left + min<u32>(4, rows - 1) * leftStride;
  let left5 = left + min<u32>(5, rows - 1) * leftStride;
  let low0 = f32x4.splat(0), high0 = f32x4.splat(0);
  let low1 = f32x4.splat(0), high1 = f32x4.splat(0);
  let low2 = f32x4.splat(0), high2 = f32x4.splat(0);
  let low3 = f32x4.splat(0), high3 = f32x4.splat(0);
  let low4 = f32x4.splat(0), high4 = f32x4.splat(0);
  let low5 = f32x4.splat(0), high5 = f32x4.splat(0);
  for (; depth > 0; depth--) {
    const rightLow = v128.load(right), rightHigh = v128.load(right, 16);
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
    right += rightStep;
    left0 += 4;
    left1 += 4;
    left2 += 4;
    left3 += 4;
    left4 += 4;
    left5 += 4;
  }
  const factor = f32x4.splat(alpha);
  finishRow(out, low0, high0, factor, beta);
  out += outStride;
  finishRow(out, low1, high1, factor, beta);
  out += outStride;
  finishRow(out, low2, high2, factor, beta);
  out += outStride;
  finishRow(out, low3, high3, factor, beta);
  out += outStride;
  finishRow(out, low4, high4, factor, beta);
  out += outStride;
  finishRow(out, low5, high5, factor, beta);
}

/**
 * 4×8 tile, left operand read along rows: acc[i][j] = Σ_p left[i·leftStride + 4p] · right[p·rightStep + 4j].
 * Rows past `rows` repeat the last one; their results are for the caller to drop.
 */
export function rowsKernel4(
  depth: u32, left: usize, leftStride: usize, rows: u32, right: usize, rightStep: usize,
  out: usize, outStride: usize, alpha: f32, beta: f32,
): void {
  let left0 = left;
  let left1 = left + min<u32>(1, rows - 1) * leftStride;
  let left2 = left + min<u32>(2, rows - 1) * leftStride;
  let left3 = left + min<u32>(3, rows - 1) * leftStride;
  let low0 = f32x4.splat(0), high0 = f32x4.splat(0);
  let low1 = f32x4.splat(0), high1 = f32x4.splat(0);
  let low2 = f32x4.splat(0), high2 = f32x4.splat(0);
  let low3 = f32x4.splat(0), high3 = f32x4.splat(0);
  for (; depth > 0; depth--) {
    const rightLow = v128.load(right), rightHigh = v128.load(right, 16);
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
    right += rightStep;
    left0 += 4;
    left1 += 4;
    left2 += 4;
    left3 += 4;
  }
  const factor = f32x4.splat(alpha);
  finishRow(out, low0, high0, factor, beta);
  out += outStride;
  finishRow(out, low1, high1, factor, beta);
  out += outStride;
  finishRow(out, low2, high2, factor, beta);
  out += outStride;
  finishRow(out, low3, high3, factor, beta);
}

/** 6×8 tile, left operand read along columns: acc[i][j] = Σ_p left[p·leftStep + 4i] · right[p·rightStep + 4j]. */
export function columnsKernel6(
  depth: u32, left: usize, leftStep: usize, right: usize, rightStep: usize,
  out: usize, outStride: usize, alpha: f32, beta: f32,
): void {
  let low0 = f32x4.splat(0), high0 = f32x4.splat(0);
  let low1 = f32x4.splat(0), high1 = f32x4.splat(0);
  let low2 = f32x4.splat(0), high2 = f32x4.splat(0);
  let low3 = f32x4.splat(0), high3 = f32x4.splat(0);
  let low4 = f32x4.splat(0), high4 = f32x4.splat(0);
  let low5 = f32x4.splat(0), high5 = f32x4.splat(0);
  for (; depth > 0; depth--) {
    const rightLow = v128.load(right), rightHigh = v128.load(right, 16);
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
    right += rightStep;
    left += leftStep;
  }
  const factor = f32x4.splat(alpha);
  finishRow(out, low0, high0, factor, beta);
  out += outStride;
  finishRow(out, low1, high1, factor, beta);
  out += outStride;
  finishRow(out, low2, high2, factor, beta);
  out += outStride;
  finishRow(out, low3, high3, factor, beta);
  out += outStride;
  finishRow(out, low4, high4, factor, beta);
  out += outStride;
  finishRow(out, low5, high5, factor, beta);
}

/** 4×8 tile, left operand read along columns: acc[i][j] = Σ_p left[p·leftStep + 4i] · right[p·rightStep + 4j]. */
export function columnsKernel4(
  depth: u32, left: usize, leftStep: usize, right: usize, rightStep: usize,
  out: usize, outStride: usize, alpha: f32, beta: f32,
): void {
  let low0 = f32x4.splat(0), high0 = f32x4.splat(0);
  let low1 = f32x4.splat(0), high1 = f32x4.splat(0);
  let low2 = f32x4.splat(0), high2 = f32x4.splat(0);
  let low3 = f32x4.splat(0), high3 = f32x4.splat(0);
  for (; depth > 0; depth--) {
    const rightLow = v128.load(right), rightHigh = v128.load(right, 16);
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
    right += rightStep;
    left += leftStep;
  }
  const factor = f32x4.splat(alpha);
  finishRow(out, low0, high0, factor, beta);
  out += outStride;
  finishRow(out, low1, high1, factor, beta);
  out += outStride;
  finishRow(out, low2, high2, factor, beta);
  out += outStride;
  finishRow(out, low3, high3, factor, beta);
}
