import {
  batch, dilationHeight, dilationWidth, inChannels, inHeight, inWidth, kernelHeight, kernelWidth, outChannels,
  outHeight, outWidth, padLeft, padTop, strideHeight, strideWidth,
} from "./convolution-record";
import { multiplyAdd } from "./simd";
import { scratch, shareEnd, shareStart } from "./team";

// The gradient by the input of a strided convolution of images with few channels, as ResNets begin with. Its rows of
// the matrix product would be short, so that finding them would cost more than multiplying. Instead, what every output
// pixel adds to a row of the image is computed at once: the taps of a kernel row times the channels, at most 24 entries
// that are adjacent in the image. Rows of the image are shared by the threads.

const LARGEST_SEGMENT: u32 = 24;
const SEGMENT_BYTES: usize = <usize>LARGEST_SEGMENT * 4;
const MOST_CHANNELS: u32 = 4;

// Scratch of a thread: masks for the entries of a segment, the filter with its segments along the input, one
// row of the image with room for the padding and for the segments of a pixel that is not there.
const FILTER: usize = SEGMENT_BYTES;
const LARGEST_FILTER_BYTES: usize = 131072;
const LARGEST_ROW_BYTES: usize = 131072 - 2 * SEGMENT_BYTES;
const ROW: usize = FILTER + LARGEST_FILTER_BYTES;

// @ts-ignore: decorator
@inline
function rowLength(): usize {
  return <usize>((outWidth - 1) * strideWidth + max<i32>(kernelWidth, padLeft + inWidth)) * inChannels + LARGEST_SEGMENT;
}

/** Whether the geometry that was read is one for stemInputGradient. */
export function isStem(): bool {
  return strideWidth > 1 && dilationWidth == 1 && dilationHeight == 1 && inChannels <= MOST_CHANNELS &&
    inChannels * kernelWidth <= LARGEST_SEGMENT &&
    SEGMENT_BYTES * kernelHeight * outChannels <= LARGEST_FILTER_BYTES && rowLength() * 4 <= LARGEST_ROW_BYTES;
}

export function stemInputGradient(upstream: usize, filter: usize, out: usize): void {
  packFilter(filter);
  const row = scratch + ROW, rowBytes = <usize>inWidth * inChannels << 2;
  const rows = batch * inHeight, end = shareEnd(rows, 1);
  for (let position = shareStart(rows, 1); position < end; position++) {
    memory.fill(row, 0, rowLength() << 2);
    const n = position / inHeight, y = <i32>(position - n * inHeight) + padTop;
    for (let tap = y % strideHeight; tap < kernelHeight && tap <= y; tap += strideHeight) {
      const i = (y - tap) / strideHeight;
      if (i >= outHeight) continue;
      addRow(row, upstream + (<usize>((n * outHeight + i) * outWidth) * outChannels << 2), tap);
    }
    memory.copy(out + position * rowBytes, row + (<usize>padLeft * inChannels << 2), rowBytes);
  }
}

/** Segments of 24 entries, those past the end zero, for every kernel row and output channel. */
function packFilter(filter: usize): void {
  const entries = inChannels * kernelWidth;
  for (let entry: u32 = 0; entry < LARGEST_SEGMENT; entry++) {
    store<i32>(scratch + (<usize>entry << 2), entry < entries ? -1 : 0);
  }
  let to = scratch + FILTER;
  for (let tap: i32 = 0; tap < kernelHeight; tap++) {
    for (let channel: u32 = 0; channel < outChannels; channel++) {
      memory.fill(to, 0, SEGMENT_BYTES);
      for (let entry: u32 = 0; entry < entries; entry++) {
        const from = filter + (<usize>((tap * entries + entry) * outChannels + channel) << 2);
        store<f32>(to + (<usize>entry << 2), load<f32>(from));
      }
      to += SEGMENT_BYTES;
    }
  }
}

/**
 * Adds what a row of output pixels gives through one row of the kernel. Two pixels at a time, half a row apart: the
 * segments of neighbors overlap, and a processor waits for what it has just stored.
 */
function addRow(row: usize, upstream: usize, tap: i32): void {
  const segments = scratch + FILTER + SEGMENT_BYTES * outChannels * tap;
  const half = (outWidth + 1) >> 1;
  const pixelBytes = <usize>outChannels << 2, stepBytes = <usize>strideWidth * inChannels << 2;
  const nowhere = row + (rowLength() << 2);
  for (let j: i32 = 0; j < half; j++) {
    const other = j + half;
    const to = row + j * stepBytes;
    if (other < outWidth) {
      addSegments(to, row + other * stepBytes, upstream + j * pixelBytes, upstream + other * pixelBytes, segments);
    } else addSegments(to, nowhere, upstream + j * pixelBytes, upstream + j * pixelBytes, segments);
  }
}

function addSegments(to0: usize, to1: usize, upstream0: usize, upstream1: usize, segment: usize): void {
  let a0 = f32x4.splat(0), a1 = f32x4.splat(0), a2 = f32x4.splat(0);
  let a3 = f32x4.splat(0), a4 = f32x4.splat(0), a5 = f32x4.splat(0);
  let b0 = f32x4.splat(0), b1 = f32x4.splat(0), b2 = f32x4.splat(0);
  let b3 = f32x4.splat(0), b4 = f32x4.splat(0), b5 = f32x4.splat(0);
  for (let channel = outChannels; channel > 0; channel--) {
    const first = v128.load32_splat(upstream0), second = v128.load32_splat(upstream1);
    let entries = v128.load(segment);
    a0 = multiplyAdd(first, entries, a0);
    b0 = multiplyAdd(second, entries, b0);
    entries = v128.load(segment, 16);
    a1 = multiplyAdd(first, entries, a1);
    b1 = multiplyAdd(second, entries, b1);
    entries = v128.load(segment, 32);
    a2 = multiplyAdd(first, entries, a2);
    b2 = multiplyAdd(second, entries, b2);
    entries = v128.load(segment, 48);
    a3 = multiplyAdd(first, entries, a3);
    b3 = multiplyAdd(second, entries, b3);
    entries = v128.load(segment, 64);
    a4 = multiplyAdd(first, entries, a4);
    b4 = multiplyAdd(second, entries, b4);
    entries = v128.load(segment, 80);
    a5 = multiplyAdd(first, entries, a5);
    b5 = multiplyAdd(second, entries, b5);
    segment += SEGMENT_BYTES;
    upstream0 += 4;
    upstream1 += 4;
  }
  addMasked(to0, 0, a0);
  addMasked(to0, 16, a1);
  addMasked(to0, 32, a2);
  addMasked(to0, 48, a3);
  addMasked(to0, 64, a4);
  addMasked(to0, 80, a5);
  addMasked(to1, 0, b0);
  addMasked(to1, 16, b1);
  addMasked(to1, 32, b2);
  addMasked(to1, 48, b3);
  addMasked(to1, 64, b4);
  addMasked(to1, 80, b5);
}

/** Entries past the end of a segment belong to other pixels: an infinite upstream must not reach them. */
// @ts-ignore: decorator
@inline
function addMasked(to: usize, offset: usize, values: v128): void {
  const kept = v128.and(values, v128.load(scratch + offset));
  v128.store(to + offset, f32x4.add(v128.load(to + offset), kept));
}
