import { columnsKernel4, columnsKernel6, rowsKernel4, rowsKernel6 } from "./gemm-kernels";
import { packColumns, packLeftPanel, packRows } from "./gemm-packing";
import { storeTransposed } from "./simd";
import { scaled, size, word, real } from "./tape";
import { members, scratch, shareEnd, shareStart } from "./team";

// C = alpha·op(A)·op(B) + beta·C, brought to "left × right": the left operand is read entry by entry
// (broadcast), the right one eight entries at a time. The right one is packed, so the smaller operand is
// put there when both orders are possible (C is then written transposed); the large one is streamed
// exactly once and never copied.

const DEPTH_BLOCK: u32 = 256;
const WIDTH_BLOCK: u32 = 256;
const NARROW_WIDTH_BLOCK: u32 = 32;

// Scratch of a thread: a tile for edges, a left panel, the packed right block.
const TILE_BYTES: usize = 256;
const LEFT_PANEL_BYTES: usize = <usize>DEPTH_BLOCK * 32;

export function gemm(record: usize): void {
  const rows = size(record, 0), columns = size(record, 1), depth = size(record, 2);
  const flags = word(record, 4);
  const alpha = scaled(real(record, 5), word(record, 6));
  const a = word(record, 7), lda = <usize>word(record, 8) << 2;
  const b = word(record, 9), ldb = <usize>word(record, 10) << 2;
  const beta = real(record, 11);
  const c = word(record, 12), ldc = <usize>word(record, 13) << 2;
  if (rows == 0 || columns == 0) return;
  const transposeA = (flags & 1) != 0, transposeB = (flags & 2) != 0;
  let swap = transposeA && transposeB;
  // A short sum is dominated by writing C, which is slower transposed.
  if (transposeA && !transposeB) {
    swap = rows > columns && (depth > 32 || columns < 32);
  }
  if (!transposeA && transposeB) swap = rows < columns;
  if (depth == 0) scaleOutput(c, ldc, rows, columns, beta);
  else if (swap) {
    product(b, ldb, !transposeB, columns, a, lda, !transposeA, rows, depth, alpha, beta, c, ldc, true);
  } else {
    product(a, lda, transposeA, rows, b, ldb, transposeB, columns, depth, alpha, beta, c, ldc, false);
  }
}

function scaleOutput(c: usize, ldc: usize, rows: u32, columns: u32, beta: f32): void {
  for (let row = shareStart(rows, 1); row < shareEnd(rows, 1); row++) {
    for (let column: u32 = 0; column < columns; column++) {
      const target = c + row * ldc + (<usize>column << 2);
      store<f32>(target, beta == 0 ? 0 : beta * load<f32>(target));
    }
  }
}

/**
 * leftByColumns: the left operand is stored depth × rows; rightByRows false means depth × columns.
 * outTransposed: element (i, j) of the product is at c + j·ldc + 4i.
 */
function product(
  left: usize, leftStride: usize, leftByColumns: bool, rows: u32,
  right: usize, rightStride: usize, rightByRows: bool, columns: u32,
  depth: u32, alpha: f32, beta: f32, c: usize, ldc: usize, outTransposed: bool,
): void {
  // A thread packs only its own share of a wide right operand; a narrow one is packed by every thread.
  let rowStart: u32 = 0, rowEnd = rows, columnStart: u32 = 0, columnEnd = columns;
  if (columns >= 32 * members) {
    columnStart = shareStart(columns, 16);
    columnEnd = shareEnd(columns, 16);
  } else {
    rowStart = shareStart(rows, 2);
    rowEnd = shareEnd(rows, 2);
  }
  if (rowStart >= rowEnd || columnStart >= columnEnd) return;
  const depthBlocks = (depth + DEPTH_BLOCK - 1) / DEPTH_BLOCK;
  const depthStep = (depth + depthBlocks - 1) / depthBlocks;
  const widthStep = rows <= 32 ? NARROW_WIDTH_BLOCK : WIDTH_BLOCK;
  for (let inner: u32 = 0; inner < depth; inner += depthStep) {
    const innerCount = min<u32>(depthStep, depth - inner);
    const innerBeta: f32 = inner == 0 ? beta : 1;
    for (let column = columnStart; column < columnEnd; column += widthStep) {
      const count = min<u32>(widthStep, columnEnd - column);
      block(
        left, leftStride, leftByColumns, rowStart, rowEnd, rows > 8,
        right, rightStride, rightByRows, column, count,
        inner, innerCount, alpha, innerBeta, c, ldc, outTransposed,
      );
    }
  }
}

function block(
  left: usize, leftStride: usize, leftByColumns: bool, rowStart: u32, rowEnd: u32, reused: bool,
  right: usize, rightStride: usize, rightByRows: bool, column: u32, count: u32,
  inner: u32, innerCount: u32, alpha: f32, beta: f32, c: usize, ldc: usize, outTransposed: bool,
): void {
  const tile = scratch, leftPanel = scratch + TILE_BYTES, packed = leftPanel + LEFT_PANEL_BYTES;
  let panel = packed, panelStep = <usize>innerCount << 5, rightStep: usize = 32;
  if (rightByRows) {
    packColumns(packed, right + column * rightStride + (<usize>inner << 2), rightStride, innerCount, count, panelStep);
  } else if (reused) {
    packRows(packed, right + inner * rightStride + (<usize>column << 2), rightStride, innerCount, count, panelStep);
  } else {
    panel = right + inner * rightStride + (<usize>column << 2);
    panelStep = 32;
    rightStep = rightStride;
  }
  const packLeft = leftByColumns && count >= 32 && innerCount >= 32;
  for (let row = rowStart; row < rowEnd; ) {
    const height = tileHeight(rowEnd - row);
    const tileRows = min<u32>(height, rowEnd - row);
    let from = leftByColumns
      ? left + inner * leftStride + (<usize>row << 2)
      : left + row * leftStride + (<usize>inner << 2);
    let fromStride = leftStride;
    if (packLeft) {
      packLeftPanel(leftPanel, from, leftStride, innerCount);
      from = leftPanel;
      fromStride = 32;
    }
    let rightPanel = panel;
    for (let offset: u32 = 0; offset < count; offset += 8) {
      const tileColumns = min<u32>(8, count - offset);
      if (tileColumns == 8 && tileRows == height && !outTransposed) {
        const out = c + row * ldc + (<usize>(column + offset) << 2);
        runKernel(height, leftByColumns, innerCount, from, fromStride, tileRows, rightPanel, rightStep, out, ldc, alpha, beta);
      } else {
        runKernel(height, leftByColumns, innerCount, from, fromStride, tileRows, rightPanel, rightStep, tile, 32, alpha, 0);
        if (outTransposed) {
          writeTransposed(tile, c + (column + offset) * ldc + (<usize>row << 2), ldc, tileRows, tileColumns, beta);
        } else {
          writeTile(tile, c + row * ldc + (<usize>(column + offset) << 2), ldc, tileRows, tileColumns, beta);
        }
      }
      rightPanel += panelStep;
    }
    row += tileRows;
  }
}

/** Tiles of six and four rows that cover the rest with the least waste. */
// @ts-ignore: decorator
@inline
export function tileHeight(rest: u32): u32 {
  if (!ASC_FEATURE_RELAXED_SIMD) return 4;
  return rest == 5 || (rest >= 6 && rest != 8) ? 6 : 4;
}

// @ts-ignore: decorator
@inline
function runKernel(
  height: u32, leftByColumns: bool, depth: u32, left: usize, leftStride: usize, rows: u32,
  right: usize, rightStep: usize, out: usize, outStride: usize, alpha: f32, beta: f32,
): void {
  if (leftByColumns) {
    if (height == 6) columnsKernel6(depth, left, leftStride, right, rightStep, out, outStride, alpha, beta);
    else columnsKernel4(depth, left, leftStride, right, rightStep, out, outStride, alpha, beta);
  } else {
    if (height == 6) rowsKernel6(depth, left, leftStride, rows, right, rightStep, out, outStride, alpha, beta);
    else rowsKernel4(depth, left, leftStride, rows, right, rightStep, out, outStride, alpha, beta);
  }
}

function writeTile(tile: usize, out: usize, ldc: usize, rows: u32, columns: u32, beta: f32): void {
  for (let row: u32 = 0; row < rows; row++) {
    for (let column: u32 = 0; column < columns; column++) {
      blend(out + row * ldc + (<usize>column << 2), load<f32>(tile + (row << 5) + (column << 2)), beta);
    }
  }
}

function writeTransposed(tile: usize, out: usize, ldc: usize, rows: u32, columns: u32, beta: f32): void {
  const block = tile + TILE_BYTES - 64;
  let row: u32 = 0;
  for (; row + 4 <= rows; row += 4) {
    const from = tile + (row << 5), to = out + (row << 2);
    let column: u32 = 0;
    for (; column + 4 <= columns; column += 4) {
      const at = from + (column << 2);
      storeTransposed(
        block, 16, v128.load(at), v128.load(at, 32), v128.load(at, 64), v128.load(at, 96),
      );
      for (let i: u32 = 0; i < 4; i++) blendFour(to + (column + i) * ldc, v128.load(block + (i << 4)), beta);
    }
    for (; column < columns; column++) {
      for (let i: u32 = 0; i < 4; i++) {
        blend(to + column * ldc + (i << 2), load<f32>(from + (i << 5) + (column << 2)), beta);
      }
    }
  }
  for (; row < rows; row++) {
    for (let column: u32 = 0; column < columns; column++) {
      blend(out + column * ldc + (row << 2), load<f32>(tile + (row << 5) + (column << 2)), beta);
    }
  }
}

// @ts-ignore: decorator
@inline
function blendFour(out: usize, value: v128, beta: f32): void {
  if (beta == 0) v128.store(out, value);
  else v128.store(out, f32x4.add(value, f32x4.mul(f32x4.splat(beta), v128.load(out))));
}

// @ts-ignore: decorator
@inline
function blend(out: usize, value: f32, beta: f32): void {
  if (beta == 0) store<f32>(out, value);
  else store<f32>(out, value + beta * load<f32>(out));
}
