import { multiplyAdd, multiplyAdd64, promoteHigh } from "./simd";
import { storeLanes } from "./elementwise";
import { double, real, size, word } from "./tape";
import { leads, meet, scratch, SEGMENTS, shareEnd, shareStart } from "./team";

// Batch normalization over the last axis of x (rows × channels) and its derivatives. The formulas are derived in
// docs/maths.md, "Batch normalization, differentiated twice". Every operation is two passes over its operands:
// sums in float64 over pieces of rows that depend on the row count alone, then a function of each row's entries
// that is affine with coefficients per channel.

/** Channels that are done at once: their coefficients fit a thread's scratch. */
const CHANNEL_BLOCK: u32 = 4096;
/** Rows of a piece, at least; src/layer-operations.ts says the same to reserve the workspace. */
const LEAST_ROWS: u32 = 64;
/** Channels and rows of a tile, which stays in the cache while its sums are taken a few channels at a time. */
const TILE_CHANNELS: u32 = 64;
const TILE_ROWS: u32 = 64;

/** Sums of a piece are stored for channels in multiples of this. */
const SUM_CHANNELS: u32 = 8;

/** Kinds of sums: of x and x²; of dy and dy·x; of u, dy, u·x, dy·x and u·dy. */
const MOMENTS: u32 = 0;
const GRADIENT: u32 = 1;
const SECOND_GRADIENT: u32 = 2;

// The channel block that is being worked on, in every thread's own instance.
let rows: u32 = 0;
let channels: u32 = 0;
let blockStart: u32 = 0;
let blockChannels: u32 = 0;
let pieceRows: u32 = 0;
let pieces: u32 = 0;
let sumStride: usize = 0;
let workspace: usize = 0;

function beginBlock(record: usize, start: u32, sumsAt: usize): void {
  rows = size(record, 0);
  channels = size(record, 1);
  blockStart = start;
  blockChannels = min<u32>(CHANNEL_BLOCK, channels - start);
  pieceRows = max<u32>(LEAST_ROWS, (rows + SEGMENTS - 1) / SEGMENTS);
  pieces = (rows + pieceRows - 1) / pieceRows;
  sumStride = <usize>((blockChannels + SUM_CHANNELS - 1) & ~(SUM_CHANNELS - 1)) << 3;
  workspace = sumsAt;
}

/** Coefficient k of the channels of the block, in this thread's scratch. */
// @ts-ignore: decorator
@inline
function coefficient(k: u32): usize {
  return scratch + <usize>k * CHANNEL_BLOCK * 4;
}

// @ts-ignore: decorator
@inline
function sumsOf(kind: u32): u32 {
  return kind == SECOND_GRADIENT ? 5 : 2;
}

/** Takes the sums of all pieces and returns when every thread is done. */
// @ts-ignore: decorator
@inline
function takeSums(kind: u32, x: usize, dy: usize, u: usize): void {
  const tiles = (blockChannels + TILE_CHANNELS - 1) / TILE_CHANNELS, end = shareEnd(pieces * tiles, 1);
  for (let unit = shareStart(pieces * tiles, 1); unit < end; unit++) {
    const piece = unit / tiles, tile = unit - piece * tiles;
    const first = tile * TILE_CHANNELS, last = min<u32>(blockChannels, first + TILE_CHANNELS);
    const sums = workspace + <usize>(piece * sumsOf(kind)) * sumStride;
    const endRow = min<u32>(rows, (piece + 1) * pieceRows);
    for (let row = piece * pieceRows; row < endRow; row += TILE_ROWS) {
      const count = min<u32>(TILE_ROWS, endRow - row), fresh = row == piece * pieceRows;
      for (let channel = first; channel < last; channel += kind == SECOND_GRADIENT ? 4 : 8) {
        const offset = (<usize>row * channels + blockStart + channel) << 2, at = sums + (<usize>channel << 3);
        if (kind == MOMENTS) addMoments(at, x + offset, count, fresh);
        else if (kind == GRADIENT) addGradientSums(at, x + offset, dy + offset, count, fresh);
        else addSecondSums(at, x + offset, dy + offset, u + offset, count, fresh);
      }
    }
  }
  meet();
}

/** Σ x and Σ x² of eight channels. */
function addMoments(sums: usize, x: usize, count: u32, fresh: bool): void {
  const squares = sums + sumStride, rowBytes = <usize>channels << 2;
  if (fresh) clearSums(sums, 2, 64);
  let s0 = v128.load(sums), s1 = v128.load(sums, 16), s2 = v128.load(sums, 32), s3 = v128.load(sums, 48);
  let q0 = v128.load(squares), q1 = v128.load(squares, 16), q2 = v128.load(squares, 32), q3 = v128.load(squares, 48);
  for (; count > 0; count--, x += rowBytes) {
    const a = v128.load(x), b = v128.load(x, 16);
    const a0 = f64x2.promote_low_f32x4(a), a1 = promoteHigh(a);
    s0 = f64x2.add(s0, a0);
    s1 = f64x2.add(s1, a1);
    q0 = multiplyAdd64(a0, a0, q0);
    q1 = multiplyAdd64(a1, a1, q1);
    const b0 = f64x2.promote_low_f32x4(b), b1 = promoteHigh(b);
    s2 = f64x2.add(s2, b0);
    s3 = f64x2.add(s3, b1);
    q2 = multiplyAdd64(b0, b0, q2);
    q3 = multiplyAdd64(b1, b1, q3);
  }
  storeFour(sums, s0, s1, s2, s3);
  storeFour(squares, q0, q1, q2, q3);
}

/** Σ dy and Σ dy·x of eight channels. */
function addGradientSums(sums: usize, x: usize, dy: usize, count: u32, fresh: bool): void {
  const products = sums + sumStride, rowBytes = <usize>channels << 2;
  if (fresh) clearSums(sums, 2, 64);
  let s0 = v128.load(sums), s1 = v128.load(sums, 16), s2 = v128.load(sums, 32), s3 = v128.load(sums, 48);
  let p0 = v128.load(products), p1 = v128.load(products, 16);
  let p2 = v128.load(products, 32), p3 = v128.load(products, 48);
  for (; count > 0; count--, x += rowBytes, dy += rowBytes) {
    const a = v128.load(x), g = v128.load(dy), b = v128.load(x, 16), h = v128.load(dy, 16);
    const g0 = f64x2.promote_low_f32x4(g), g1 = promoteHigh(g);
    s0 = f64x2.add(s0, g0);
    s1 = f64x2.add(s1, g1);
    p0 = multiplyAdd64(g0, f64x2.promote_low_f32x4(a), p0);
    p1 = multiplyAdd64(g1, promoteHigh(a), p1);
    const h0 = f64x2.promote_low_f32x4(h), h1 = promoteHigh(h);
    s2 = f64x2.add(s2, h0);
    s3 = f64x2.add(s3, h1);
    p2 = multiplyAdd64(h0, f64x2.promote_low_f32x4(b), p2);
    p3 = multiplyAdd64(h1, promoteHigh(b), p3);
  }
  storeFour(sums, s0, s1, s2, s3);
  storeFour(products, p0, p1, p2, p3);
}

/** Σ u, Σ dy, Σ u·x, Σ dy·x and Σ u·dy of four channels. */
function addSecondSums(sums: usize, x: usize, dy: usize, u: usize, count: u32, fresh: bool): void {
  const rowBytes = <usize>channels << 2;
  const second = sums + sumStride, third = second + sumStride, fourth = third + sumStride, fifth = fourth + sumStride;
  if (fresh) clearSums(sums, 5, 32);
  let u0 = v128.load(sums), u1 = v128.load(sums, 16), g0 = v128.load(second), g1 = v128.load(second, 16);
  let ux0 = v128.load(third), ux1 = v128.load(third, 16), gx0 = v128.load(fourth), gx1 = v128.load(fourth, 16);
  let ug0 = v128.load(fifth), ug1 = v128.load(fifth, 16);
  for (; count > 0; count--, x += rowBytes, dy += rowBytes, u += rowBytes) {
    const a = v128.load(x), b = v128.load(dy), c = v128.load(u);
    const a0 = f64x2.promote_low_f32x4(a), b0 = f64x2.promote_low_f32x4(b), c0 = f64x2.promote_low_f32x4(c);
    u0 = f64x2.add(u0, c0);
    g0 = f64x2.add(g0, b0);
    ux0 = multiplyAdd64(c0, a0, ux0);
    gx0 = multiplyAdd64(b0, a0, gx0);
    ug0 = multiplyAdd64(c0, b0, ug0);
    const a1 = promoteHigh(a), b1 = promoteHigh(b), c1 = promoteHigh(c);
    u1 = f64x2.add(u1, c1);
    g1 = f64x2.add(g1, b1);
    ux1 = multiplyAdd64(c1, a1, ux1);
    gx1 = multiplyAdd64(b1, a1, gx1);
    ug1 = multiplyAdd64(c1, b1, ug1);
  }
  storePair(sums, u0, u1);
  storePair(second, g0, g1);
  storePair(third, ux0, ux1);
  storePair(fourth, gx0, gx1);
  storePair(fifth, ug0, ug1);
}

function clearSums(sums: usize, kinds: u32, bytes: usize): void {
  for (; kinds > 0; kinds--, sums += sumStride) memory.fill(sums, 0, bytes);
}

// @ts-ignore: decorator
@inline
function storePair(at: usize, a: v128, b: v128): void {
  v128.store(at, a);
  v128.store(at, b, 16);
}

// @ts-ignore: decorator
@inline
function storeFour(at: usize, a: v128, b: v128, c: v128, d: v128): void {
  storePair(at, a, b);
  storePair(at + 32, c, d);
}

/** Mean over all rows of sum `index` (of `kinds`) of a channel of the block. */
function meanOf(index: u32, kinds: u32, channel: u32): f64 {
  let at = workspace + <usize>index * sumStride + (<usize>channel << 3), total: f64 = 0;
  const step = <usize>kinds * sumStride;
  for (let piece: u32 = 0; piece < pieces; piece++, at += step) total += load<f64>(at);
  return total / <f64>rows;
}

/** Stores a channel's result where the first thread, and only it, writes results. */
// @ts-ignore: decorator
@inline
function publish(out: usize, channel: u32, value: f64): void {
  if (leads()) store<f32>(out + (<usize>(blockStart + channel) << 2), <f32>value);
}

// @ts-ignore: decorator
@inline
function channelValue(values: usize, channel: u32): f64 {
  return <f64>load<f32>(values + (<usize>(blockStart + channel) << 2));
}

// @ts-ignore: decorator
@inline
function setCoefficient(k: u32, channel: u32, value: f64): void {
  store<f32>(coefficient(k) + (<usize>channel << 2), <f32>value);
}

/** y = (x - coefficient 0)·coefficient 1 + coefficient 2 on this thread's rows of the block. */
function normalizeRows(out: usize, x: usize): void {
  const end = shareEnd(rows, 1), bytes = <usize>blockChannels << 2;
  const means = coefficient(0), factors = coefficient(1), offsets = coefficient(2);
  for (let row = shareStart(rows, 1); row < end; row++) {
    const start = (<usize>row * channels + blockStart) << 2;
    const from = x + start, to = out + start;
    for (let at: usize = 0; at < bytes; at += 16) {
      const centered = f32x4.sub(v128.load(from + at), v128.load(means + at));
      storeSome(to + at, multiplyAdd(centered, v128.load(factors + at), v128.load(offsets + at)), bytes - at);
    }
  }
}

// @ts-ignore: decorator
@inline
function storeSome(out: usize, x: v128, bytesLeft: usize): void {
  if (bytesLeft >= 16) v128.store(out, x);
  else storeLanes(out, x, bytesLeft >> 2);
}

/** y = (x - mean)·scale / √(variance + ε) + offset with given statistics; scale and offset may be absent. */
export function batchNormalization(record: usize): void {
  const epsilon = double(record, 4);
  const out = word(record, 6), x = word(record, 7), mean = word(record, 8), variance = word(record, 9);
  const scale = word(record, 10), offset = word(record, 11), count = size(record, 1);
  for (let start: u32 = 0; start < count; start += CHANNEL_BLOCK) {
    beginBlock(record, start, 0);
    for (let channel: u32 = 0; channel < blockChannels; channel++) {
      const gamma: f64 = scale == 0 ? 1 : channelValue(scale, channel);
      setCoefficient(0, channel, channelValue(mean, channel));
      setCoefficient(1, channel, gamma / sqrt(channelValue(variance, channel) + epsilon));
      setCoefficient(2, channel, offset == 0 ? 0 : channelValue(offset, channel));
    }
    normalizeRows(out, x);
  }
}

/** y, and the mean and biased variance of x over the rows that y is normalized with. */
export function batchNormalizationTraining(record: usize): void {
  const epsilon = double(record, 4);
  const out = word(record, 6), mean = word(record, 7), variance = word(record, 8);
  const x = word(record, 9), scale = word(record, 10), offset = word(record, 11), count = size(record, 1);
  for (let start: u32 = 0; start < count; start += CHANNEL_BLOCK) {
    beginBlock(record, start, word(record, 12));
    takeSums(MOMENTS, x, 0, 0);
    for (let channel: u32 = 0; channel < blockChannels; channel++) {
      const average = meanOf(0, 2, channel), square = meanOf(1, 2, channel);
      const spread = max<f64>(0, square - average * average);
      publish(mean, channel, average);
      publish(variance, channel, spread);
      setCoefficient(0, channel, average);
      setCoefficient(1, channel, channelValue(scale, channel) / sqrt(spread + epsilon));
      setCoefficient(2, channel, channelValue(offset, channel));
    }
    normalizeRows(out, x);
    meet();
  }
}

/** dx = A·dy + B·(x - mean) + C, dScale = Σ dy·x̂ and dOffset = Σ dy, mean and variance being functions of x. */
export function batchNormalizationGradient(record: usize): void {
  const epsilon = double(record, 4);
  const dx = word(record, 6), dScale = word(record, 7), dOffset = word(record, 8);
  const dy = word(record, 9), x = word(record, 10), scale = word(record, 11);
  const mean = word(record, 12), variance = word(record, 13), count = size(record, 1);
  for (let start: u32 = 0; start < count; start += CHANNEL_BLOCK) {
    beginBlock(record, start, word(record, 14));
    takeSums(GRADIENT, x, dy, 0);
    for (let channel: u32 = 0; channel < blockChannels; channel++) {
      const mu = channelValue(mean, channel), s = 1 / sqrt(channelValue(variance, channel) + epsilon);
      const g = meanOf(0, 2, channel), gx = (meanOf(1, 2, channel) - mu * g) * s;
      const factor = channelValue(scale, channel) * s;
      publish(dScale, channel, gx * <f64>rows);
      publish(dOffset, channel, g * <f64>rows);
      setCoefficient(0, channel, mu);
      setCoefficient(1, channel, factor);
      setCoefficient(2, channel, -factor * gx * s);
      setCoefficient(3, channel, -factor * g);
    }
    writeGradient(dx, dy, x);
    meet();
  }
}

function writeGradient(out: usize, dy: usize, x: usize): void {
  const end = shareEnd(rows, 1), bytes = <usize>blockChannels << 2;
  const means = coefficient(0), dyFactors = coefficient(1), xFactors = coefficient(2), constants = coefficient(3);
  for (let row = shareStart(rows, 1); row < end; row++) {
    const start = (<usize>row * channels + blockStart) << 2;
    const from = x + start, upstream = dy + start, to = out + start;
    for (let at: usize = 0; at < bytes; at += 16) {
      const centered = f32x4.sub(v128.load(from + at), v128.load(means + at));
      const rest = multiplyAdd(centered, v128.load(xFactors + at), v128.load(constants + at));
      storeSome(to + at, multiplyAdd(v128.load(upstream + at), v128.load(dyFactors + at), rest), bytes - at);
    }
  }
}

/**
 * The vector-Jacobian product of batchNormalizationGradient: with cotangents u of dx, a of dScale and b of dOffset,
 * dDy = A·u + B·(x - mean) + C, dX = D·u + E·dy + F·(x - mean) + G, and dScale.
 */
export function batchNormalizationSecondGradient(record: usize): void {
  const epsilon = double(record, 4);
  const dDy = word(record, 6), dX = word(record, 7), dScale = word(record, 8);
  const u = word(record, 9), ddScale = word(record, 10), ddOffset = word(record, 11);
  const dy = word(record, 12), x = word(record, 13), scale = word(record, 14);
  const mean = word(record, 15), variance = word(record, 16), count = size(record, 1);
  for (let start: u32 = 0; start < count; start += CHANNEL_BLOCK) {
    beginBlock(record, start, word(record, 17));
    takeSums(SECOND_GRADIENT, x, dy, u);
    for (let channel: u32 = 0; channel < blockChannels; channel++) {
      const mu = channelValue(mean, channel), s = 1 / sqrt(channelValue(variance, channel) + epsilon);
      const factor = channelValue(scale, channel) * s;
      const a = channelValue(ddScale, channel), b = channelValue(ddOffset, channel);
      const meanU = meanOf(0, 5, channel), meanG = meanOf(1, 5, channel);
      const meanUx = (meanOf(2, 5, channel) - mu * meanU) * s, meanGx = (meanOf(3, 5, channel) - mu * meanG) * s;
      const q = meanOf(4, 5, channel) - meanU * meanG - meanUx * meanGx;
      publish(dScale, channel, <f64>rows * s * q);
      setCoefficient(0, channel, mu);
      // dDy = γs·(u - ⟨u⟩ - x̂⟨u x̂⟩) + a·x̂ + b.
      setCoefficient(1, channel, factor);
      setCoefficient(2, channel, (a - factor * meanUx) * s);
      setCoefficient(3, channel, b - factor * meanU);
      // dX = s·(h - ⟨h⟩ - x̂⟨h x̂⟩) - γs²·q·x̂ with h = -γs·(u⟨dy x̂⟩ + dy⟨u x̂⟩) + a·dy.
      const fromU = -factor * meanGx, fromG = a - factor * meanUx;
      const meanH = fromU * meanU + fromG * meanG, meanHx = fromU * meanUx + fromG * meanGx;
      setCoefficient(4, channel, s * fromU);
      setCoefficient(5, channel, s * fromG);
      setCoefficient(6, channel, -s * s * (meanHx + factor * q));
      setCoefficient(7, channel, -s * meanH);
    }
    writeSecondGradient(dDy, dX, u, dy, x);
    meet();
  }
}

function writeSecondGradient(dDy: usize, dX: usize, u: usize, dy: usize, x: usize): void {
  const end = shareEnd(rows, 1), bytes = <usize>blockChannels << 2, first = coefficient(0);
  const step = <usize>CHANNEL_BLOCK * 4;
  for (let row = shareStart(rows, 1); row < end; row++) {
    const start = (<usize>row * channels + blockStart) << 2;
    for (let at: usize = 0; at < bytes; at += 16) {
      const k = first + at, place = start + at;
      const cotangent = v128.load(u + place), upstream = v128.load(dy + place);
      const centered = f32x4.sub(v128.load(x + place), v128.load(k));
      const low = multiplyAdd(centered, v128.load(k + 2 * step), v128.load(k + 3 * step));
      storeSome(dDy + place, multiplyAdd(cotangent, v128.load(k + step), low), bytes - at);
      const rest = multiplyAdd(centered, v128.load(k + 6 * step), v128.load(k + 7 * step));
      const middle = multiplyAdd(upstream, v128.load(k + 5 * step), rest);
      storeSome(dX + place, multiplyAdd(cotangent, v128.load(k + 4 * step), middle), bytes - at);
    }
  }
}
