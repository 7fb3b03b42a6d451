import { multiplyAdd64, promoteHigh, sumLanes64 } from "./simd";
import { double, real, scaled, size, word } from "./tape";
import { leads, meet, PARTIALS, SEGMENTS, shareEnd, shareStart } from "./team";

// Elementwise operations on vectors, and their long reductions in float64.

/** Shares start at multiples of a cache line of floats. */
const LINE: u32 = 16;

export function fill(record: usize): void {
  const count = size(record, 0), value = real(record, 5);
  const first = shareStart(count, LINE), end = shareEnd(count, LINE);
  let out = word(record, 4) + (<usize>first << 2);
  let rest = end - first;
  const values = f32x4.splat(value);
  for (; rest >= 4; rest -= 4, out += 16) v128.store(out, values);
  for (; rest > 0; rest--, out += 4) store<f32>(out, value);
}

export function copy(record: usize): void {
  const count = size(record, 0);
  const first = <usize>shareStart(count, LINE) << 2, end = <usize>shareEnd(count, LINE) << 2;
  memory.copy(word(record, 4) + first, word(record, 5) + first, end - first);
}

export function multiply(record: usize): void {
  const count = size(record, 0);
  const first = shareStart(count, LINE), offset = <usize>first << 2;
  let out = word(record, 4) + offset, a = word(record, 5) + offset, b = word(record, 6) + offset;
  let rest = shareEnd(count, LINE) - first;
  for (; rest >= 4; rest -= 4) {
    v128.store(out, f32x4.mul(v128.load(a), v128.load(b)));
    out += 16; a += 16; b += 16;
  }
  for (; rest > 0; rest--) {
    store<f32>(out, load<f32>(a) * load<f32>(b));
    out += 4; a += 4; b += 4;
  }
}

/** y += alpha·x. */
export function axpy(record: usize): void {
  const count = size(record, 0), alpha = scaled(real(record, 4), word(record, 5));
  const first = shareStart(count, LINE), offset = <usize>first << 2;
  addScaled(word(record, 7) + offset, word(record, 6) + offset, alpha, shareEnd(count, LINE) - first);
}

/** y[0..count) += alpha·x. */
// @ts-ignore: decorator
@inline
export function addScaled(y: usize, x: usize, alpha: f32, count: u32): void {
  const factor = f32x4.splat(alpha);
  for (; count >= 8; count -= 8) {
    v128.store(y, f32x4.add(f32x4.mul(factor, v128.load(x)), v128.load(y)));
    v128.store(y, f32x4.add(f32x4.mul(factor, v128.load(x, 16)), v128.load(y, 16)), 16);
    x += 32; y += 32;
  }
  for (; count > 0; count--) {
    store<f32>(y, load<f32>(y) + alpha * load<f32>(x));
    x += 4; y += 4;
  }
}

export function scale(record: usize): void {
  const count = size(record, 0), alpha = scaled(real(record, 4), word(record, 5));
  const first = shareStart(count, LINE);
  let values = word(record, 6) + (<usize>first << 2);
  let rest = shareEnd(count, LINE) - first;
  const factor = f32x4.splat(alpha);
  for (; rest >= 4; rest -= 4, values += 16) v128.store(values, f32x4.mul(factor, v128.load(values)));
  for (; rest > 0; rest--, values += 4) store<f32>(values, alpha * load<f32>(values));
}

/** g += weightDecay·p; v = momentum·v + g; p -= learningRate·v. */
export function momentumUpdate(record: usize): void {
  const count = size(record, 0);
  const momentum = real(record, 4), rate = real(record, 5), decay = real(record, 6);
  const first = shareStart(count, LINE), offset = <usize>first << 2;
  let gradient = word(record, 7) + offset, velocity = word(record, 8) + offset, parameters = word(record, 9) + offset;
  let rest = shareEnd(count, LINE) - first;
  const momenta = f32x4.splat(momentum), rates = f32x4.splat(rate), decays = f32x4.splat(decay);
  for (; rest >= 4; rest -= 4) {
    const p = v128.load(parameters);
    const g = f32x4.add(v128.load(gradient), f32x4.mul(decays, p));
    const v = f32x4.add(f32x4.mul(momenta, v128.load(velocity)), g);
    v128.store(gradient, g);
    v128.store(velocity, v);
    v128.store(parameters, f32x4.sub(p, f32x4.mul(rates, v)));
    gradient += 16; velocity += 16; parameters += 16;
  }
  for (; rest > 0; rest--) {
    const p = load<f32>(parameters);
    const g = load<f32>(gradient) + decay * p;
    const v = momentum * load<f32>(velocity) + g;
    store<f32>(gradient, g);
    store<f32>(velocity, v);
    store<f32>(parameters, p - rate * v);
    gradient += 4; velocity += 4; parameters += 4;
  }
}

/** Σ values², in float64. */
export function squaredNorm(record: usize): void {
  const values = word(record, 4);
  reduceProducts(values, values, size(record, 0), word(record, 5), word(record, 6));
}

/** Σ a·b, in float64. */
export function dot(record: usize): void {
  reduceProducts(word(record, 4), word(record, 5), size(record, 0), word(record, 6), word(record, 7));
}

function reduceProducts(a: usize, b: usize, count: u32, out: usize, accumulate: u32): void {
  const step = segmentLength(count);
  for (let segment = shareStart(SEGMENTS, 1); segment < shareEnd(SEGMENTS, 1); segment++) {
    const first = min<u32>(count, segment * step), offset = <usize>first << 2;
    const rest = min<u32>(count, first + step) - first;
    store<f64>(PARTIALS + segment * 32, sumProducts(a + offset, b + offset, rest));
  }
  meet();
  if (!leads()) return;
  let total: f64 = accumulate ? load<f64>(out) : 0;
  for (let segment: u32 = 0; segment < SEGMENTS; segment++) total += load<f64>(PARTIALS + segment * 32);
  store<f64>(out, total);
}

/** Length of the fixed pieces in which `count` items are summed. */
export function segmentLength(count: u32): u32 {
  return max<u32>(256, ((count + SEGMENTS - 1) / SEGMENTS + 15) & ~15);
}

function sumProducts(a: usize, b: usize, count: u32): f64 {
  let s0 = f64x2.splat(0), s1 = f64x2.splat(0), s2 = f64x2.splat(0), s3 = f64x2.splat(0);
  for (; count >= 8; count -= 8) {
    const x = v128.load(a), y = v128.load(b), z = v128.load(a, 16), w = v128.load(b, 16);
    s0 = multiplyAdd64(f64x2.promote_low_f32x4(x), f64x2.promote_low_f32x4(y), s0);
    s1 = multiplyAdd64(promoteHigh(x), promoteHigh(y), s1);
    s2 = multiplyAdd64(f64x2.promote_low_f32x4(z), f64x2.promote_low_f32x4(w), s2);
    s3 = multiplyAdd64(promoteHigh(z), promoteHigh(w), s3);
    a += 32; b += 32;
  }
  let total = sumLanes64(f64x2.add(f64x2.add(s0, s1), f64x2.add(s2, s3)));
  for (; count > 0; count--) {
    total += <f64>load<f32>(a) * <f64>load<f32>(b);
    a += 4; b += 4;
  }
  return total;
}

/**
 * One step of the scalar state of GroupRMSprop (Li, Luo, Lyu 2021): state = (v, t);
 * t += 1; v = alpha·v + (1 - alpha)·g²; step = -learningRate / (√(v / (1 - alpha^t)) + epsilon).
 */
export function groupRmsProp(record: usize): void {
  if (!leads()) return;
  const squared = load<f64>(word(record, 4)), state = word(record, 5), step = word(record, 6);
  const alpha = double(record, 8), epsilon = double(record, 10), rate = double(record, 12);
  const time = load<f64>(state, 8) + 1;
  const average = alpha * load<f64>(state) + (1 - alpha) * squared;
  store<f64>(state, average);
  store<f64>(state, time, 8);
  const corrected = average / (1 - integerPower(alpha, <u64>time));
  store<f32>(step, <f32>(-rate / (sqrt(corrected) + epsilon)));
}

function integerPower(base: f64, exponent: u64): f64 {
  let result: f64 = 1;
  for (; exponent > 0; exponent >>= 1) {
    if (exponent & 1) result *= base;
    base *= base;
  }
  return result;
}

