import { dotRuns3, ROW_RUN_BYTES, rowRuns4, rowRuns6 } from "./convolution-kernels";
import {
  batch, dilationHeight, dilationWidth, endTap, firstTap, inChannels, inHeight, inWidth, kernelHeight, kernelWidth,
  outChannels, outHeight, outWidth, padLeft, padTop, readGeometry, strideHeight, strideWidth,
} from "./convolution-record";
import { isStem, stemInputGradient } from "./convolution-stem-gradient";
import { tileHeight } from "./gemm";
import { packColumns, packRows } from "./gemm-packing";
import { word } from "./tape";
import { members, scratch, shareEnd, shareStart } from "./team";

// Convolutions as matrix products whose left operand is never written down: a row is an output pixel, and its
// depth (taps × channels) is a list of runs, each contiguous in the image. Pixels are taken in classes that have
// the same taps inside the image, so that the zeros of the padding are not multiplied; where that would leave
// the tiles too empty there is one class for all, with a row of zeros for the taps outside. The filter is packed,
// block by block.

const DEPTH_BLOCK: u32 = 384;
/** Floats of a packed block. */
const PACKED_FLOATS: u32 = 65536;
const WIDTH_BLOCK: u32 = 256;

// Scratch of a thread: a tile for edges, the table of a tile of rows, a row of zeros, the packed block.
const TILE_BYTES: usize = 256;
const ZEROS: usize = TILE_BYTES;
const ZEROS_BYTES: usize = <usize>DEPTH_BLOCK * 4;
const OUTS: usize = ZEROS + ZEROS_BYTES;
const TILE_OUTS: usize = OUTS + 32;
const BASES: usize = TILE_OUTS + 32;
const STARTS_Y: usize = BASES + 32;
const STARTS_X: usize = STARTS_Y + 32;
const RUNS: usize = STARTS_X + 32;
const LARGEST_RUN_COUNT: u32 = 192;
const PACKED: usize = (RUNS + LARGEST_RUN_COUNT * ROW_RUN_BYTES + 63) & ~63;

// The image that is read.
let source: usize = 0;
let sourceHeight: i32 = 0;
let sourceWidth: i32 = 0;
let channels: u32 = 0;
// The grid of pixels that are written, and where it lies: bytes from image to image, row to row, pixel to pixel.
let gridHeight: i32 = 0;
let gridWidth: i32 = 0;
let target: usize = 0;
let targetImage: usize = 0;
let targetRow: usize = 0;
let targetPixel: usize = 0;
let columns: u32 = 0;
// Pixel (i, j) and tap (s, t) meet at row i·stepY + startY + s·spreadY, column j·stepX + startX + t·spreadX.
let stepY: i32 = 0;
let stepX: i32 = 0;
let startY: i32 = 0;
let startX: i32 = 0;
let spreadY: i32 = 0;
let spreadX: i32 = 0;
let tapsY: i32 = 0;
let tapsX: i32 = 0;
// The filter's matrix of a tap is channels × columns, or columns × channels when `transposed`.
let weights: usize = 0;
let weightsTapRow: i32 = 0;
let weightsTap: i32 = 0;
let weightsStride: usize = 0;
let transposed: bool = false;

/** Whether the columns are so few that each is stored along the depth. */
let dotted: bool = false;
/** Whether there is one class of all pixels. */
let padded: bool = false;
// The block of the depth at hand: taps in row-major order, and channels.
let firstBlockTap: i32 = 0;
let endBlockTap: i32 = 0;
let firstChannel: u32 = 0;
let channelCount: u32 = 0;
// The block of columns at hand.
let firstColumn: u32 = 0;
let columnCount: u32 = 0;
// Rows of a class are shared by the threads, unless the columns are.
let rowsShared: bool = false;

/** out[n, i, j, o] = Σ in[n, i·stride + s·dilation - pad, …, c] · filter[s, t, c, o]. */
export function convolution(record: usize): void {
  readGeometry(record);
  source = word(record, 16);
  sourceHeight = inHeight;
  sourceWidth = inWidth;
  channels = inChannels;
  columns = outChannels;
  const pixelBytes = <usize>columns << 2;
  target = word(record, 18);
  placeGrid(outHeight, outWidth, pixelBytes * outWidth * outHeight, pixelBytes * outWidth, pixelBytes);
  stepY = strideHeight;
  stepX = strideWidth;
  startY = -padTop;
  startX = -padLeft;
  spreadY = dilationHeight;
  spreadX = dilationWidth;
  tapsY = kernelHeight;
  tapsX = kernelWidth;
  weights = word(record, 17);
  weightsStride = pixelBytes;
  weightsTap = <i32>(channels * columns * 4);
  weightsTapRow = weightsTap * tapsX;
  transposed = false;
  product();
}

/**
 * The gradient by the input: a convolution of the upstream gradient for each class of input pixels modulo the
 * stride, with every stride-th tap in reverse order.
 */
export function convolutionInputGradient(record: usize): void {
  readGeometry(record);
  source = word(record, 16);
  sourceHeight = outHeight;
  sourceWidth = outWidth;
  channels = outChannels;
  columns = inChannels;
  const filter = word(record, 17), out = word(record, 18);
  if (isStem()) {
    stemInputGradient(source, filter, out);
    return;
  }
  const pixelBytes = <usize>columns << 2;
  const rowBytes = pixelBytes * inWidth;
  stepY = 1;
  stepX = 1;
  spreadY = dilationHeight;
  spreadX = dilationWidth;
  weightsStride = <usize>channels << 2;
  const tapBytes = <i32>(channels * columns * 4);
  weightsTap = -strideWidth * tapBytes;
  weightsTapRow = -strideHeight * tapBytes * kernelWidth;
  transposed = true;
  for (let restY: i32 = 0; restY < min<i32>(strideHeight, inHeight); restY++) {
    const tapY = (restY + padTop) % strideHeight;
    tapsY = tapY < kernelHeight ? (kernelHeight - 1 - tapY) / strideHeight + 1 : 0;
    startY = (restY + padTop - tapY) / strideHeight - (tapsY - 1) * spreadY;
    for (let restX: i32 = 0; restX < min<i32>(strideWidth, inWidth); restX++) {
      const tapX = (restX + padLeft) % strideWidth;
      tapsX = tapX < kernelWidth ? (kernelWidth - 1 - tapX) / strideWidth + 1 : 0;
      startX = (restX + padLeft - tapX) / strideWidth - (tapsX - 1) * spreadX;
      target = out + restY * rowBytes + restX * pixelBytes;
      placeGrid(
        (inHeight - restY - 1) / strideHeight + 1, (inWidth - restX - 1) / strideWidth + 1,
        rowBytes * inHeight, rowBytes * strideHeight, pixelBytes * strideWidth,
      );
      const lastY = tapY + (tapsY - 1) * strideHeight, lastX = tapX + (tapsX - 1) * strideWidth;
      weights = filter + (lastY * kernelWidth + lastX) * tapBytes;
      product();
    }
  }
}

function placeGrid(height: i32, width: i32, image: usize, row: usize, pixel: usize): void {
  gridHeight = height;
  gridWidth = width;
  targetImage = image;
  targetRow = row;
  targetPixel = pixel;
}

function product(): void {
  memory.fill(scratch + ZEROS, 0, ZEROS_BYTES);
  for (let row: usize = 0; row < 6; row++) store<u32>(scratch + TILE_OUTS + row * 4, <u32>(scratch + row * 32));
  dotted = transposed && columns <= 3 && channels % 4 == 0;
  padded = paddingIsCheaper();
  // The filter's block is packed by each thread for the columns that it multiplies.
  rowsShared = columns < 32 * members;
  const start = rowsShared ? 0 : shareStart(columns, 16), end = rowsShared ? columns : shareEnd(columns, 16);
  const taps = tapsY * tapsX;
  if (taps == 0) {
    firstColumn = start;
    columnCount = end - start;
    firstBlockTap = endBlockTap = 0;
    multiplyClasses();
    return;
  }
  const pieces = (channels + DEPTH_BLOCK - 1) / DEPTH_BLOCK;
  const channelStep = ((channels + pieces - 1) / pieces + 3) & ~3;
  const tapStep = tapsOfBlock(taps, channelStep);
  const width = min<u32>(WIDTH_BLOCK, (PACKED_FLOATS / (channelStep * tapStep)) & ~7);
  for (firstColumn = start; firstColumn < end; firstColumn += width) {
    columnCount = min<u32>(width, end - firstColumn);
    for (firstBlockTap = 0; firstBlockTap < taps; firstBlockTap = endBlockTap) {
      endBlockTap = min<i32>(taps, firstBlockTap + tapStep);
      for (firstChannel = 0; firstChannel < channels; firstChannel += channelStep) {
        channelCount = min<u32>(channelStep, channels - firstChannel);
        packWeights();
        multiplyClasses();
      }
    }
  }
}

/** Taps of a block: as many as fit, with blocks of equal size, and whole rows of taps where possible. */
function tapsOfBlock(taps: i32, depth: u32): i32 {
  const fitting = <i32>max<u32>(1, min<u32>(DEPTH_BLOCK / depth, LARGEST_RUN_COUNT));
  if (fitting >= tapsX) {
    const rows = fitting / tapsX, blocks = (tapsY + rows - 1) / rows;
    return (tapsY + blocks - 1) / blocks * tapsX;
  }
  const blocks = (taps + fitting - 1) / fitting;
  return (taps + blocks - 1) / blocks;
}

function packWeights(): void {
  const packed = scratch + PACKED;
  const panelBytes = <usize>channelCount * (endBlockTap - firstBlockTap) << 5;
  for (let tap = firstBlockTap; tap < endBlockTap; tap++) {
    const matrix = weights + (tap / tapsX) * weightsTapRow + (tap % tapsX) * weightsTap;
    const to = packed + (<usize>channelCount * (tap - firstBlockTap) << 5);
    if (dotted) {
      packDots(to, matrix);
    } else if (transposed) {
      const from = matrix + firstColumn * weightsStride + (<usize>firstChannel << 2);
      packColumns(to, from, weightsStride, channelCount, columnCount, panelBytes);
    } else {
      const from = matrix + firstChannel * weightsStride + (<usize>firstColumn << 2);
      packRows(to, from, weightsStride, channelCount, columnCount, panelBytes);
    }
  }
}

/** The columns of one tap, each along the depth. `to` is where its panel would be. */
function packDots(to: usize, matrix: usize): void {
  const columnBytes = <usize>channelCount * (endBlockTap - firstBlockTap) << 2;
  let column = scratch + PACKED + ((to - scratch - PACKED) >> 3);
  for (let j: u32 = 0; j < columnCount; j++) {
    const from = matrix + (firstColumn + j) * weightsStride + (<usize>firstChannel << 2);
    memory.copy(column, from, <usize>channelCount << 2);
    column += columnBytes;
  }
}

// Classes of pixels.

function firstTapY(i: i32): i32 {
  const first = firstTap(i * stepY + startY, spreadY, tapsY);
  return first < endTap(i * stepY + startY, spreadY, tapsY, sourceHeight) ? first : 0;
}

function endTapY(i: i32): i32 {
  const end = endTap(i * stepY + startY, spreadY, tapsY, sourceHeight);
  return firstTap(i * stepY + startY, spreadY, tapsY) < end ? end : 0;
}

function firstTapX(j: i32): i32 {
  const first = firstTap(j * stepX + startX, spreadX, tapsX);
  return first < endTap(j * stepX + startX, spreadX, tapsX, sourceWidth) ? first : 0;
}

function endTapX(j: i32): i32 {
  const end = endTap(j * stepX + startX, spreadX, tapsX, sourceWidth);
  return firstTap(j * stepX + startX, spreadX, tapsX) < end ? end : 0;
}

/** The row after the last one that has the same taps as row i. */
function classEndY(i: i32): i32 {
  if (padded) return gridHeight;
  const first = firstTapY(i), end = endTapY(i);
  for (i++; i < gridHeight && firstTapY(i) == first && endTapY(i) == end; ) i++;
  return i;
}

function classEndX(j: i32): i32 {
  if (padded) return gridWidth;
  const first = firstTapX(j), end = endTapX(j);
  for (j++; j < gridWidth && firstTapX(j) == first && endTapX(j) == end; ) j++;
  return j;
}

/** Whether one class with zeros multiplied costs less than many with partly empty tiles. */
function paddingIsCheaper(): bool {
  padded = false;
  let apart: u64 = 0;
  for (let i: i32 = 0; i < gridHeight; ) {
    const endY = classEndY(i), usedY = endTapY(i) - firstTapY(i);
    for (let j: i32 = 0; j < gridWidth; ) {
      const endX = classEndX(j), usedX = endTapX(j) - firstTapX(j);
      apart += tileRows(batch * (endY - i) * (endX - j)) * usedY * usedX;
      j = endX;
    }
    i = endY;
  }
  return tileRows(batch * gridHeight * gridWidth) * tapsY * tapsX < apart;
}

/** Rows of the tiles that cover `rows`. */
function tileRows(rows: u32): u64 {
  const whole = rows / 6 * 6;
  return whole == rows ? rows : whole + <u64>tileHeight(rows - whole);
}

function multiplyClasses(): void {
  for (let i: i32 = 0; i < gridHeight; ) {
    const endY = classEndY(i);
    for (let j: i32 = 0; j < gridWidth; ) {
      const endX = classEndX(j);
      if (padded) multiplyClass(0, gridHeight, 0, gridWidth, 0, tapsY, 0, tapsX);
      else multiplyClass(i, endY, j, endX, firstTapY(i), endTapY(i), firstTapX(j), endTapX(j));
      j = endX;
    }
    i = endY;
  }
}

function multiplyClass(
  top: i32, bottom: i32, left: i32, right: i32, fromY: i32, toY: i32, fromX: i32, toX: i32,
): void {
  const height = bottom - top, width = right - left;
  const rows: u32 = batch * height * width;
  const rowStart = rowsShared ? shareStart(rows, 2) : 0, rowEnd = rowsShared ? shareEnd(rows, 2) : rows;
  const none = fromY >= toY || fromX >= toX;
  const initial = fromY * tapsX + fromX;
  const begins = none || (firstChannel == 0 && initial >= firstBlockTap && initial < endBlockTap);
  for (let row = rowStart; row < rowEnd; ) {
    const tall = dotted ? 3 : tileHeight(rowEnd - row), count = min<u32>(tall, rowEnd - row);
    placeRows(row, count, tall, top, left, height, width);
    const runs = none ? 0 : listRuns(count, fromY, toY, fromX, toX);
    if (runs > 0 || (none && isFirstBlock())) multiplyTile(tall, count, runs, !begins);
    row += count;
  }
}

function isFirstBlock(): bool {
  return firstBlockTap == 0 && (endBlockTap == 0 || firstChannel == 0);
}

/** Rows row … row + count - 1 of a class: where they are written and where their first tap is read. */
function placeRows(row: u32, count: u32, tall: u32, top: i32, left: i32, height: i32, width: i32): void {
  const pixelsOfImage: u32 = height * width;
  let image = row / pixelsOfImage;
  const within: i32 = row - image * pixelsOfImage;
  let i = within / width, j = within - i * width;
  const imageBytes = <usize>channels * sourceHeight * sourceWidth << 2;
  if (count == tall && j + <i32>count <= width) {
    const y = (top + i) * stepY + startY, x = (left + j) * stepX + startX;
    const out = target + image * targetImage + (top + i) * targetRow + (left + j) * targetPixel;
    storeSeries(OUTS, <i32>out, <i32>targetPixel);
    const base = source + image * imageBytes + ((y * sourceWidth + x) * <i32>channels << 2);
    storeSeries(BASES, <i32>base, stepX * <i32>channels << 2);
    if (padded) {
      storeSeries(STARTS_Y, y, 0);
      storeSeries(STARTS_X, x, stepX);
    }
    return;
  }
  for (let k: usize = 0; k < 6; k++) {
    const y = (top + i) * stepY + startY, x = (left + j) * stepX + startX;
    const at = scratch + (k << 2);
    store<u32>(at, <u32>(target + image * targetImage + (top + i) * targetRow + (left + j) * targetPixel), OUTS);
    store<u32>(at, <u32>(source + image * imageBytes + ((y * sourceWidth + x) * <i32>channels << 2)), BASES);
    store<i32>(at, y, STARTS_Y);
    store<i32>(at, x, STARTS_X);
    // Rows past the end repeat the last one; their results are dropped.
    if (k + 1 < count && ++j == width) {
      j = 0;
      if (++i == height) {
        i = 0;
        image++;
      }
    }
  }
}

/** Eight terms of an arithmetic series. */
// @ts-ignore: decorator
@inline
function storeSeries(at: usize, first: i32, step: i32): void {
  const steps = i32x4.splat(step);
  const low = i32x4.add(i32x4.splat(first), i32x4.mul(steps, i32x4(0, 1, 2, 3)));
  v128.store(scratch + at, low);
  v128.store(scratch + at, i32x4.add(low, i32x4.shl(steps, 2)), 16);
}

/** Lists the runs of the block that belong to a class; their number. */
function listRuns(count: u32, fromY: i32, toY: i32, fromX: i32, toX: i32): u32 {
  let run = scratch + RUNS;
  for (let s = max<i32>(fromY, firstBlockTap / tapsX); s < toY; s++) {
    const first = max<i32>(s * tapsX + fromX, firstBlockTap), end = min<i32>(s * tapsX + toX, endBlockTap);
    if (s * tapsX >= endBlockTap) break;
    if (first >= end) continue;
    if (!padded && spreadX == 1) {
      addRun(run, s, first - s * tapsX, first, end - first);
      run += ROW_RUN_BYTES;
    } else {
      for (let tap = first; tap < end; tap++) {
        addRun(run, s, tap - s * tapsX, tap, 1);
        if (padded) maskRun(run, s, tap - s * tapsX);
        run += ROW_RUN_BYTES;
      }
    }
  }
  return <u32>((run - scratch - RUNS) / ROW_RUN_BYTES);
}

function addRun(run: usize, s: i32, t: i32, tap: i32, taps: i32): void {
  const offset = ((s * spreadY * sourceWidth + t * spreadX) * <i32>channels + <i32>firstChannel) << 2;
  const offsets = i32x4.splat(offset);
  v128.store(run, i32x4.add(v128.load(scratch, BASES), offsets));
  v128.store(run, i32x4.add(v128.load(scratch + 16, BASES), offsets), 16);
  store<u32>(run, taps * channelCount, 24);
  store<u32>(run, (tap - firstBlockTap) * channelCount << 5, 28);
}

/** Rows whose tap lies outside the image read zeros. */
function maskRun(run: usize, s: i32, t: i32): void {
  for (let k: usize = 0; k < 24; k += 4) {
    const y = load<i32>(scratch + k, STARTS_Y) + s * spreadY, x = load<i32>(scratch + k, STARTS_X) + t * spreadX;
    const outside = <u32>y >= <u32>sourceHeight || <u32>x >= <u32>sourceWidth;
    if (outside) store<u32>(run + k, <u32>(scratch + ZEROS));
  }
}

function multiplyTile(tall: u32, count: u32, runs: u32, accumulate: bool): void {
  const panelBytes = <usize>channelCount * (endBlockTap - firstBlockTap) << 5;
  const outs = scratch + OUTS, tileOuts = scratch + TILE_OUTS, table = scratch + RUNS;
  if (dotted) {
    dotRuns3(runs, table, scratch + PACKED, panelBytes >> 3, outs, count, columnCount, accumulate);
    return;
  }
  let panel = scratch + PACKED;
  for (let offset: u32 = 0; offset < columnCount; offset += 8) {
    const width = min<u32>(8, columnCount - offset);
    const at = <usize>(firstColumn + offset) << 2;
    if (width == 8 && count == tall) {
      if (tall == 6) rowRuns6(runs, table, panel, outs, at, accumulate);
      else rowRuns4(runs, table, panel, outs, at, accumulate);
    } else {
      if (tall == 6) rowRuns6(runs, table, panel, tileOuts, 0, false);
      else rowRuns4(runs, table, panel, tileOuts, 0, false);
      writeTile(outs, at, count, width, accumulate);
    }
    panel += panelBytes;
  }
}

function writeTile(outs: usize, at: usize, rows: u32, width: u32, accumulate: bool): void {
  for (let row: usize = 0; row < rows; row++) {
    const out = <usize>load<u32>(outs + row * 4) + at, from = scratch + row * 32;
    for (let column: usize = 0; column < <usize>width << 2; column += 4) {
      const value = load<f32>(from + column);
      store<f32>(out + column, accumulate ? value + load<f32>(out + column) : value);
    }
  }
}
