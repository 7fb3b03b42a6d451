import { storeLanes } from "./elementwise";
import { promoteHigh } from "./simd";
import { size, word } from "./tape";
import { members, shareEnd, shareStart } from "./team";

// Pooling of images [batch, height, width, channels]. A window is cut off at the edges of the image; its maximum
// is the first one in row-major order, and NaN is never a maximum. A window without any maximum (all of it NaN,
// -∞ or outside) gives -∞ and passes nothing to the gradients.

const LINE: u32 = 16;

// Geometry of the current operation and the window that was placed last, in every thread's own instance.
let inHeight: u32 = 0;
let inWidth: u32 = 0;
let channels: u32 = 0;
let outHeight: u32 = 0;
let outWidth: u32 = 0;
let filterHeight: u32 = 0;
let filterWidth: u32 = 0;
let strideHeight: u32 = 0;
let strideWidth: u32 = 0;
let padTop: i32 = 0;
let padLeft: i32 = 0;
let pixelBytes: usize = 0;
let rowBytes: usize = 0;

let top: u32 = 0;
let bottom: u32 = 0;
let left: u32 = 0;
let right: u32 = 0;

function readGeometry(record: usize): void {
  channels = size(record, 1);
  inHeight = word(record, 9);
  inWidth = word(record, 10);
  outHeight = word(record, 11);
  outWidth = word(record, 12);
  filterHeight = word(record, 13);
  filterWidth = word(record, 14);
  strideHeight = word(record, 15);
  strideWidth = word(record, 16);
  padTop = word(record, 17);
  padLeft = word(record, 18);
  pixelBytes = <usize>channels << 2;
  rowBytes = <usize>inWidth * pixelBytes;
}

function batchOf(record: usize): u32 {
  return word(record, 8);
}

/** Window rows top to bottom - 1 of output row `row`. */
function placeRow(row: u32): void {
  const start = <i32>(row * strideHeight) - padTop;
  top = max<i32>(0, start);
  bottom = max<i32>(top, min<i32>(inHeight, start + <i32>filterHeight));
}

function placeColumn(column: u32): void {
  const start = <i32>(column * strideWidth) - padLeft;
  left = max<i32>(0, start);
  right = max<i32>(left, min<i32>(inWidth, start + <i32>filterWidth));
}

/** out = the maximum of each window. */
export function maxPool(record: usize): void {
  readGeometry(record);
  const out = word(record, 4), x = word(record, 5);
  const lines = batchOf(record) * outHeight, end = shareEnd(lines, 1);
  for (let line = shareStart(lines, 1); line < end; line++) {
    const image = line / outHeight;
    placeRow(line - image * outHeight);
    const from = x + image * inHeight * rowBytes;
    let to = out + <usize>line * outWidth * pixelBytes;
    for (let column: u32 = 0; column < outWidth; column++, to += pixelBytes) {
      placeColumn(column);
      maxOfWindow(to, from + top * rowBytes + left * pixelBytes);
    }
  }
}

function maxOfWindow(out: usize, from: usize): void {
  const rows = bottom - top, columns = right - left, lowest = f32x4.splat(-Infinity);
  let rest = channels;
  for (; rest >= 16; rest -= 16, out += 64, from += 64) {
    let a = lowest, b = lowest, c = lowest, d = lowest, line = from;
    for (let row: u32 = 0; row < rows; row++, line += rowBytes) {
      let at = line;
      for (let column: u32 = 0; column < columns; column++, at += pixelBytes) {
        a = f32x4.pmax(a, v128.load(at));
        b = f32x4.pmax(b, v128.load(at, 16));
        c = f32x4.pmax(c, v128.load(at, 32));
        d = f32x4.pmax(d, v128.load(at, 48));
      }
    }
    v128.store(out, a);
    v128.store(out, b, 16);
    v128.store(out, c, 32);
    v128.store(out, d, 48);
  }
  while (rest > 0) {
    let a = lowest, line = from;
    for (let row: u32 = 0; row < rows; row++, line += rowBytes) {
      let at = line;
      for (let column: u32 = 0; column < columns; column++, at += pixelBytes) a = f32x4.pmax(a, v128.load(at));
    }
    if (rest < 4) {
      storeLanes(out, a, rest);
      return;
    }
    v128.store(out, a);
    rest -= 4; out += 16; from += 16;
  }
}

/**
 * Where the maxima of four channels of the last window are: 1 + offset from `from` in bytes, 0 without one. Offsets
 * grow from pixel to pixel, so the place of the latest maximum is the largest one.
 */
// @ts-ignore: decorator
@inline
function placesOfMaxima(from: usize): v128 {
  const step = i32x4.splat(<i32>pixelBytes);
  let best = f32x4.splat(-Infinity), places = i32x4.splat(0);
  for (let row = top; row < bottom; row++) {
    const start = (row - top) * rowBytes;
    let at = from + start, place = i32x4.splat(<i32>start + 1);
    for (let column = left; column < right; column++) {
      const pixel = v128.load(at), larger = f32x4.gt(pixel, best);
      best = f32x4.pmax(best, pixel);
      places = i32x4.max_s(places, v128.and(larger, place));
      at += pixelBytes;
      place = i32x4.add(place, step);
    }
  }
  return places;
}

/** out = 0, then out[place of the maximum of each window of x] += dy. */
export function maxPoolGradient(record: usize): void {
  readGeometry(record);
  const batch = batchOf(record);
  const out = word(record, 4), x = word(record, 5), upstream = word(record, 6);
  // Windows overlap: a thread takes whole images or, of few images, whole channels.
  const byImage = batch >= members;
  const firstImage = byImage ? shareStart(batch, 1) : 0, endImage = byImage ? shareEnd(batch, 1) : batch;
  const first = byImage ? 0 : shareStart(channels, LINE), end = byImage ? channels : shareEnd(channels, LINE);
  if (first == end) return;
  for (let image = firstImage; image < endImage; image++) {
    const offset = <usize>image * inHeight * rowBytes + (<usize>first << 2);
    clearChannels(out + offset, end - first);
    let gradient = upstream + <usize>image * outHeight * outWidth * pixelBytes + (<usize>first << 2);
    for (let row: u32 = 0; row < outHeight; row++) {
      placeRow(row);
      for (let column: u32 = 0; column < outWidth; column++, gradient += pixelBytes) {
        placeColumn(column);
        const start = offset + top * rowBytes + left * pixelBytes;
        scatterWindow(out + start, x + start, gradient, end - first);
      }
    }
  }
}

/** One image's pixels from here on, `count` channels of each. */
function clearChannels(out: usize, count: u32): void {
  if (count == channels) {
    memory.fill(out, 0, inHeight * rowBytes);
    return;
  }
  for (let pixel = inHeight * inWidth; pixel > 0; pixel--, out += pixelBytes) memory.fill(out, 0, <usize>count << 2);
}

function scatterWindow(out: usize, from: usize, gradient: usize, count: u32): void {
  for (let channel: u32 = 0; channel < count; channel += 4) {
    const places = placesOfMaxima(from);
    addAt(out, i32x4.extract_lane(places, 0), gradient);
    if (channel + 1 < count) addAt(out + 4, i32x4.extract_lane(places, 1), gradient + 4);
    if (channel + 2 < count) addAt(out + 8, i32x4.extract_lane(places, 2), gradient + 8);
    if (channel + 3 < count) addAt(out + 12, i32x4.extract_lane(places, 3), gradient + 12);
    out += 16; from += 16; gradient += 16;
  }
}

// @ts-ignore: decorator
@inline
function addAt(out: usize, place: i32, gradient: usize): void {
  if (place == 0) return;
  const target = out + <usize>place - 1;
  store<f32>(target, load<f32>(target) + load<f32>(gradient));
}

/** out = v[place of the maximum of each window of x], 0 without one: the transpose of maxPoolGradient. */
export function maxPoolGather(record: usize): void {
  readGeometry(record);
  const out = word(record, 4), x = word(record, 5), values = word(record, 6);
  const lines = batchOf(record) * outHeight, end = shareEnd(lines, 1);
  for (let line = shareStart(lines, 1); line < end; line++) {
    const image = line / outHeight;
    placeRow(line - image * outHeight);
    let to = out + <usize>line * outWidth * pixelBytes;
    for (let column: u32 = 0; column < outWidth; column++, to += pixelBytes) {
      placeColumn(column);
      const start = <usize>image * inHeight * rowBytes + top * rowBytes + left * pixelBytes;
      gatherWindow(to, x + start, values + start);
    }
  }
}

function gatherWindow(out: usize, from: usize, values: usize): void {
  for (let channel: u32 = 0; channel < channels; channel += 4) {
    const places = placesOfMaxima(from);
    take(out, i32x4.extract_lane(places, 0), values);
    if (channel + 1 < channels) take(out + 4, i32x4.extract_lane(places, 1), values + 4);
    if (channel + 2 < channels) take(out + 8, i32x4.extract_lane(places, 2), values + 8);
    if (channel + 3 < channels) take(out + 12, i32x4.extract_lane(places, 3), values + 12);
    out += 16; from += 16; values += 16;
  }
}

// @ts-ignore: decorator
@inline
function take(out: usize, place: i32, values: usize): void {
  store<f32>(out, place == 0 ? 0 : load<f32>(values + <usize>place - 1));
}

/** out = the mean of each window, over its pixels inside the image, summed in float64. */
export function averagePool(record: usize): void {
  readGeometry(record);
  const out = word(record, 4), x = word(record, 5);
  const lines = batchOf(record) * outHeight, end = shareEnd(lines, 1);
  for (let line = shareStart(lines, 1); line < end; line++) {
    const image = line / outHeight;
    placeRow(line - image * outHeight);
    let to = out + <usize>line * outWidth * pixelBytes;
    for (let column: u32 = 0; column < outWidth; column++, to += pixelBytes) {
      placeColumn(column);
      const from = x + <usize>image * inHeight * rowBytes + top * rowBytes + left * pixelBytes;
      const count = (bottom - top) * (right - left);
      sumPixels(to, from, bottom - top, rowBytes, right - left, <f64>count);
    }
  }
}

/**
 * out = for each pixel the sum of dy over the windows that hold it, divided by the area of the whole filter: as tfjs
 * has it, also at edges, where averagePool divides by less.
 */
export function averagePoolGradient(record: usize): void {
  readGeometry(record);
  const out = word(record, 4), upstream = word(record, 6);
  const area = <f64>(filterHeight * filterWidth);
  const lines = batchOf(record) * inHeight, end = shareEnd(lines, 1), upstreamRow = <usize>outWidth * pixelBytes;
  for (let line = shareStart(lines, 1); line < end; line++) {
    const image = line / inHeight, row = line - image * inHeight;
    const firstRow = firstWindow(row + padTop, filterHeight, strideHeight);
    const endRow = min<u32>(outHeight, (row + padTop) / strideHeight + 1);
    let to = out + <usize>line * rowBytes;
    for (let column: u32 = 0; column < inWidth; column++, to += pixelBytes) {
      const firstColumn = firstWindow(column + padLeft, filterWidth, strideWidth);
      const endColumn = min<u32>(outWidth, (column + padLeft) / strideWidth + 1);
      const rows = max<i32>(0, endRow - firstRow), columns = max<i32>(0, endColumn - firstColumn);
      const from = upstream + (<usize>image * outHeight + firstRow) * upstreamRow + firstColumn * pixelBytes;
      sumPixels(to, from, rows, upstreamRow, columns, area);
    }
  }
}

/** The first window that reaches a (padded) position. */
function firstWindow(position: u32, filter: u32, stride: u32): u32 {
  return position < filter ? 0 : (position - filter) / stride + 1;
}

/** out = the sums over a rectangle of pixels divided by `divisor`, in float64. */
function sumPixels(out: usize, from: usize, rows: u32, stride: usize, columns: u32, divisor: f64): void {
  const divisors = f64x2.splat(divisor);
  for (let channel: u32 = 0; channel < channels; channel += 4) {
    let low = f64x2.splat(0), high = f64x2.splat(0), line = from;
    for (let row: u32 = 0; row < rows; row++, line += stride) {
      let at = line;
      for (let column: u32 = 0; column < columns; column++, at += pixelBytes) {
        const pixel = v128.load(at);
        low = f64x2.add(low, f64x2.promote_low_f32x4(pixel));
        high = f64x2.add(high, promoteHigh(pixel));
      }
    }
    const first = f32x4.demote_f64x2_zero(f64x2.div(low, divisors));
    const second = f32x4.demote_f64x2_zero(f64x2.div(high, divisors));
    const values = v128.shuffle<i32>(first, second, 0, 1, 4, 5);
    if (channel + 4 <= channels) v128.store(out, values);
    else storeLanes(out, values, channels - channel);
    out += 16; from += 16;
  }
}
