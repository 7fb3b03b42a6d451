import { storeTransposed } from "./simd";

// Panels of the right operand: eight columns wide, panelBytes apart, depth rows of 32 bytes each.
// Columns past the end hold whatever lies there: they only reach accumulators that are dropped.

/** Panels of a matrix whose rows run along the panels' rows (element (p, j) at source + p·stride + 4j). */
export function packRows(
  target: usize, source: usize, stride: usize, depth: u32, columns: u32, panelBytes: usize,
): void {
  let row: u32 = 0;
  // Four rows at a time: the reads are four forward streams, the writes 128 bytes in one piece.
  for (; row + 4 <= depth; row += 4) {
    let from = source + row * stride;
    let to = target + (<usize>row << 5);
    for (let column: u32 = 0; column < columns; column += 8) {
      const second = from + stride, third = second + stride, fourth = third + stride;
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      v128.store(to, v128.load(second), 32);
      v128.store(to, v128.load(second, 16), 48);
      v128.store(to, v128.load(third), 64);
      v128.store(to, v128.load(third, 16), 80);
      v128.store(to, v128.load(fourth), 96);
      v128.store(to, v128.load(fourth, 16), 112);
      from += 32;
      to += panelBytes;
    }
  }
  for (; row < depth; row++) {
    let from = source + row * stride;
    let to = target + (<usize>row << 5);
    for (let column: u32 = 0; column < columns; column += 8) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += 32;
      to += panelBytes;
    }
  }
}

/** Panels of a matrix whose rows run along the depth (element (p, j) at source + j·stride + 4p). */
export function packColumns(
  target: usize, source: usize, stride: usize, depth: u32, columns: u32, panelBytes: usize,
): void {
  for (let column: u32 = 0; column < columns; column += 8) {
    const last = columns - column - 1;
    packFour(target, source + column * stride, stride, depth, last);
    if (last >= 4) packFour(target + 16, source + (column + 4) * stride, stride, depth, last - 4);
    target += panelBytes;
  }
}

function packFour(target: usize, row0: usize, stride: usize, depth: u32, last: u32): void {
  let row1 = row0 + min<u32>(1, last) * stride;
  let row2 = row0 + min<u32>(2, last) * stride;
  let row3 = row0 + min<u32>(3, last) * stride;
  for (; depth >= 4; depth -= 4) {
    storeTransposed(target, 32, v128.load(row0), v128.load(row1), v128.load(row2), v128.load(row3));
    target += 128;
    row0 += 16; row1 += 16; row2 += 16; row3 += 16;
  }
  for (; depth > 0; depth--) {
    store<f32>(target, load<f32>(row0));
    store<f32>(target, load<f32>(row1), 4);
    store<f32>(target, load<f32>(row2), 8);
    store<f32>(target, load<f32>(row3), 12);
    target += 32;
    row0 += 4; row1 += 4; row2 += 4; row3 += 4;
  }
}

/** One panel of a left operand that is stored transposed: eight entries of every depth row. */
export function packLeftPanel(target: usize, source: usize, stride: usize, depth: u32): void {
  for (; depth > 0; depth--) {
    v128.store(target, v128.load(source));
    v128.store(target, v128.load(source, 16), 16);
    target += 32;
    source += stride;
  }
}
