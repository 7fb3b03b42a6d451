import { COLUMN_RUN_BYTES, columnRuns4, columnRuns6 } from "./convolution-kernels";
import {
  batch, dilationHeight, dilationWidth, endTap, firstTap, inChannels, inHeight, inWidth, kernelHeight, kernelWidth,
  outChannels, outHeight, outWidth, padLeft, padTop, readGeometry, strideHeight, strideWidth,
} from "./convolution-record";
import { tileHeight } from "./gemm";
import { word } from "./tape";
import { scratch, shareEnd, shareStart } from "./team";

// filter[s, t, c, o] = Σ over output pixels (n, i, j) of in[n, i·stride + s·dilation - pad, …, c] · upstream[n, i, j, o]:
// a matrix product over the pixels. A group is what is contiguous in the image around a pixel: the channels of one
// tap, or of a whole row of taps when there are too few of them to fill a tile. Pixels come line by line, a line
// being a row of one image, or in small images that row of all images: then the pixels of a line at which a tap is
// inside the image are long stretches.

const PIXEL_BLOCK: u32 = 256;
const WIDTH_BLOCK: u32 = 240;
const FEWEST_CHANNELS: u32 = 6;
/** Images narrower than this are taken together. */
const NARROW: i32 = 8;
/** With fewer columns than this, packing the left operand does not pay. */
const FEW_COLUMNS: u32 = 72;

// Scratch of a thread: a tile for edges, the runs, for each pixel of the runs where its group starts and in which
// column of the image, a panel of the left operand, the packed block of the upstream.
const RUNS: usize = 256;
const ADDRESSES: usize = RUNS + PIXEL_BLOCK * COLUMN_RUN_BYTES;
const COLUMNS: usize = ADDRESSES + PIXEL_BLOCK * 4;
const PANEL: usize = (COLUMNS + PIXEL_BLOCK * 4 + 63) & ~63;
const PACKED: usize = PANEL + PIXEL_BLOCK * 32;

let image: usize = 0;
let upstream: usize = 0;
let imageBytes: usize = 0;
let upstreamImageBytes: usize = 0;
/** Whether a line is a row of all images. */
let together: bool = false;
let lineLength: i32 = 0;
// The block at hand.
let firstPixel: u32 = 0;
let pixelCount: u32 = 0;
let firstColumn: u32 = 0;
let columnCount: u32 = 0;
// The group at hand.
let rowTap: i32 = 0;
let columnTap: i32 = 0;
let groupTaps: i32 = 0;

export function convolutionFilterGradient(record: usize): void {
  readGeometry(record);
  image = word(record, 16);
  upstream = word(record, 17);
  imageBytes = <usize>inChannels * inHeight * inWidth << 2;
  upstreamImageBytes = <usize>outChannels * outHeight * outWidth << 2;
  groupTaps = inChannels < FEWEST_CHANNELS && dilationWidth == 1 ? kernelWidth : 1;
  together = outWidth < NARROW && batch > 1 && groupTaps == 1;
  lineLength = together ? outWidth * <i32>batch : outWidth;
  const pixels: u32 = batch * outHeight * outWidth;
  for (firstColumn = 0; firstColumn < outChannels; firstColumn += WIDTH_BLOCK) {
    columnCount = min<u32>(WIDTH_BLOCK, outChannels - firstColumn);
    for (firstPixel = 0; firstPixel < pixels; firstPixel += PIXEL_BLOCK) {
      pixelCount = min<u32>(PIXEL_BLOCK, pixels - firstPixel);
      packUpstream();
      multiplyGroups(word(record, 18));
    }
  }
}

/** Address of the entry of output pixel (n, i, j) in the upstream gradient. */
// @ts-ignore: decorator
@inline
function upstreamAt(n: i32, i: i32, j: i32): usize {
  return upstream + n * upstreamImageBytes + (<usize>(i * outWidth + j) * outChannels << 2);
}

function packUpstream(): void {
  const panelBytes = <usize>pixelCount << 5;
  const columnBytes = <usize>firstColumn << 2;
  for (let pixel: u32 = 0; pixel < pixelCount; pixel++) {
    const position: i32 = firstPixel + pixel;
    const line = position / lineLength, within = position - line * lineLength;
    let from = columnBytes;
    if (together) from += upstreamAt(within % <i32>batch, line, within / <i32>batch);
    else from += upstream + (<usize>position * outChannels << 2);
    let to = scratch + PACKED + (<usize>pixel << 5);
    for (let column: u32 = 0; column < columnCount; column += 8) {
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      from += 32;
      to += panelBytes;
    }
  }
}

/** The rows of the filter are shared by the threads. */
function multiplyGroups(out: usize): void {
  const width: u32 = inChannels * groupTaps;
  const rows: u32 = inChannels * kernelHeight * kernelWidth;
  const end = shareEnd(rows, 2);
  for (let row = shareStart(rows, 2); row < end; ) {
    const group = row / width, groupEnd = min<u32>(end, (group + 1) * width);
    const firstOfGroup: i32 = group * groupTaps;
    rowTap = firstOfGroup / kernelWidth;
    columnTap = firstOfGroup % kernelWidth;
    multiplyGroup(out, row, groupEnd, group * width);
    row = groupEnd;
  }
}

function multiplyGroup(out: usize, start: u32, end: u32, groupStart: u32): void {
  const startX = columnTap * dilationWidth - padLeft;
  const accumulate = firstPixel > 0;
  if (groupTaps == 1) {
    const from = firstTap(startX, strideWidth, outWidth), to = endTap(startX, strideWidth, outWidth, inWidth);
    const direct = columnCount < FEW_COLUMNS && !together;
    const runs = listRuns(startX, from, to, direct);
    multiplyRows(out, start, end, groupStart, runs, direct, accumulate);
    return;
  }
  // Where a row of taps is inside the image it is read in place; at the edges it is packed with zeros.
  const from = firstTap(startX, strideWidth, outWidth);
  const to = max<i32>(from, endTap(startX, strideWidth, outWidth, inWidth - kernelWidth + 1));
  multiplyRows(out, start, end, groupStart, listRuns(startX, from, to, true), true, accumulate);
  multiplyRows(out, start, end, groupStart, listRuns(startX, 0, from, false), false, true);
  multiplyRows(out, start, end, groupStart, listRuns(startX, to, outWidth, false), false, true);
}

function multiplyRows(
  out: usize, start: u32, end: u32, groupStart: u32, runs: u32, direct: bool, accumulate: bool,
): void {
  if (runs == 0 && accumulate) return;
  const leftStep = direct ? <usize>inChannels * strideWidth << 2 : 32;
  let shifted: u32 = 0;
  for (let row = start; row < end; ) {
    const tall = tileHeight(end - row), count = min<u32>(tall, end - row);
    const entry = row - groupStart;
    if (direct) {
      shiftRuns(runs, entry - shifted);
      shifted = entry;
    } else packLeft(runs, entry);
    multiplyTile(tall, count, runs, leftStep, out, row, accumulate);
    row += count;
  }
}

/**
 * Lists the pixels of the block in columns from … to - 1 at which the group is in a row of the image. A run of the
 * image itself (`direct`) ends with its line; the pixels of a packed panel follow one another, and a run ends where one
 * is left out.
 */
function listRuns(startX: i32, from: i32, to: i32, direct: bool): u32 {
  if (from >= to) return 0;
  const perPixel: i32 = together ? batch : 1;
  let runs: u32 = 0, listed: u32 = 0;
  const blockEnd: i32 = firstPixel + pixelCount;
  for (let line = <i32>firstPixel / lineLength; line * lineLength < blockEnd; line++) {
    const y = (together ? line : line % outHeight) * strideHeight + rowTap * dilationHeight - padTop;
    if (<u32>y >= <u32>inHeight) continue;
    const lineStart = line * lineLength;
    const first = max<i32>(firstPixel, lineStart + from * perPixel);
    const end = min<i32>(blockEnd, lineStart + to * perPixel);
    if (first >= end) continue;
    const row = image + (together ? 0 : line / outHeight * imageBytes) + (<usize>(y * inWidth) * inChannels << 2);
    if (direct) {
      const x = (first - lineStart) * strideWidth + startX;
      addRun(runs++, <u32>(row + (<usize>x * inChannels << 2)), first, end);
    } else {
      runs = extendRuns(runs, listed, first, end);
      listed = listPixels(listed, row, first - lineStart, end - lineStart, startX);
    }
  }
  return runs;
}

function addRun(position: u32, left: u32, first: i32, end: i32): void {
  const run = scratch + RUNS + position * COLUMN_RUN_BYTES;
  store<u32>(run, left);
  store<u32>(run, end - first, 4);
  store<u32>(run, (first - firstPixel) << 5, 8);
}

/** Adds pixels first … end - 1 to the last run if they follow it, else as a new one; the number of runs. */
function extendRuns(runs: u32, listed: u32, first: i32, end: i32): u32 {
  if (runs > 0) {
    const last = scratch + RUNS + (runs - 1) * COLUMN_RUN_BYTES;
    const depth = load<u32>(last, 4);
    if (load<u32>(last, 8) + (depth << 5) == (first - firstPixel) << 5) {
      store<u32>(last, depth + end - first, 4);
      return runs;
    }
  }
  addRun(runs, <u32>(scratch + PANEL + (listed << 5)), first, end);
  return runs + 1;
}

/** Lists where the group starts at the pixels within a line; the number of pixels listed so far. */
function listPixels(listed: u32, row: usize, first: i32, end: i32, startX: i32): u32 {
  let j = first, n: i32 = 0;
  if (together) {
    j = first / <i32>batch;
    n = first - j * <i32>batch;
  }
  for (let position = first; position < end; position++) {
    const x = j * strideWidth + startX, at = scratch + (listed++ << 2);
    store<u32>(at, <u32>(row + n * imageBytes + (<usize>(x * <i32>inChannels) << 2)), ADDRESSES);
    store<i32>(at, x, COLUMNS);
    if (!together) j++;
    else if (++n == <i32>batch) {
      n = 0;
      j++;
    }
  }
  return listed;
}

function shiftRuns(runs: u32, entries: u32): void {
  let run = scratch + RUNS;
  for (; runs > 0; runs--) {
    store<u32>(run, load<u32>(run) + (entries << 2));
    run += COLUMN_RUN_BYTES;
  }
}

/** Packs entries entry … entry + 7 of the group at every listed pixel. */
function packLeft(runs: u32, entry: u32): void {
  let pixels: u32 = 0;
  for (let run = scratch + RUNS; runs > 0; runs--, run += COLUMN_RUN_BYTES) pixels += load<u32>(run, 4);
  let to = scratch + PANEL, at = scratch;
  const offset = <usize>entry << 2;
  if (groupTaps == 1) {
    for (; pixels > 0; pixels--) {
      const from = <usize>load<u32>(at, ADDRESSES) + offset;
      v128.store(to, v128.load(from));
      v128.store(to, v128.load(from, 16), 16);
      to += 32;
      at += 4;
    }
    return;
  }
  for (; pixels > 0; pixels--) {
    packMasked(to, load<u32>(at, ADDRESSES) + offset, load<i32>(at, COLUMNS) * <i32>inChannels + <i32>entry);
    to += 32;
    at += 4;
  }
}

/** Eight entries of an image's row from `position` on, zero outside the row. */
function packMasked(to: usize, from: usize, position: i32): void {
  const entries = inWidth * <i32>inChannels;
  if (position >= 0 && position + 8 <= entries) {
    v128.store(to, v128.load(from));
    v128.store(to, v128.load(from, 16), 16);
    return;
  }
  for (let k: i32 = 0; k < 8; k++) {
    const inside = <u32>(position + k) < <u32>entries;
    store<f32>(to + (k << 2), inside ? load<f32>(from + (k << 2)) : 0);
  }
}

function multiplyTile(
  tall: u32, count: u32, runs: u32, leftStep: usize, out: usize, row: u32, accumulate: bool,
): void {
  const stride = <usize>outChannels << 2, table = scratch + RUNS, panelBytes = <usize>pixelCount << 5;
  let panel = scratch + PACKED;
  for (let offset: u32 = 0; offset < columnCount; offset += 8) {
    const width = min<u32>(8, columnCount - offset);
    const to = out + row * stride + (<usize>(firstColumn + offset) << 2);
    if (width == 8 && count == tall) {
      if (tall == 6) columnRuns6(runs, table, leftStep, panel, to, stride, accumulate);
      else columnRuns4(runs, table, leftStep, panel, to, stride, accumulate);
    } else {
      if (tall == 6) columnRuns6(runs, table, leftStep, panel, scratch, 32, false);
      else columnRuns4(runs, table, leftStep, panel, scratch, 32, false);
      writeTile(to, stride, count, width, accumulate);
    }
    panel += panelBytes;
  }
}

function writeTile(out: usize, stride: usize, rows: u32, width: u32, accumulate: bool): void {
  for (let row: usize = 0; row < rows; row++) {
    const to = out + row * stride, from = scratch + row * 32;
    for (let column: usize = 0; column < <usize>width << 2; column += 4) {
      const value = load<f32>(from + column);
      store<f32>(to + column, accumulate ? value + load<f32>(to + column) : value);
    }
  }
}
