import { scratch } from "./team";

// Exponential functions of two doubles at a time. Arguments come from float32 and results go back to it, so
// that errors far below 2^-24 and the ends of float32's range are all that matters here.
//
// Constants are read from a table in the thread's scratch: engines build a vector constant from four
// instructions each time, but read one from memory in a single one.

const LN2_HIGH: f64 = 0.693147180369123816490;
const LN2_LOW: f64 = 1.90821492927058770002e-10;
/** exp(x) for |x| beyond any float32 result: larger arguments give the same infinity and zero after rounding. */
const LARGEST_ARGUMENT: f64 = 200;
/** Below this softplus(x) is exp(x) and above its negative it is x, both to float32: tfjs's own bounds. */
const SOFTPLUS_THRESHOLD: f64 = -13.942385196685791;
/** Nearer to zero than this, differences from 1 would cancel and a short series is exact. */
const NEAR_ZERO: f64 = 0.0009765625;

// Places in the table.
const ONE: usize = 0;
const HALF: usize = 16;
const LARGEST: usize = 32;
const LOG2_E: usize = 48;
const LN2_FIRST: usize = 64;
const LN2_REST: usize = 80;
const EXPONENT_BIAS: usize = 96;
/** 1/3!, 1/4!, … 1/10!. */
const FACTORIALS: usize = 112;
const MANTISSA: usize = 240;
const ONE_BITS: usize = 256;
const SQRT2: usize = 272;
const LN2: usize = 288;
/** 2, 2/3, 2/5, … 2/17. */
const LOG_SERIES: usize = 304;
const SIGN: usize = 448;
const NEAR: usize = 464;
const THIRD: usize = 480;
const TWO_FIFTEENTHS: usize = 496;
const THRESHOLD: usize = 512;
/** 1.5·2^52: a number added to it is rounded to a whole one, in its low bits. */
const ROUNDER: usize = 528;

/** Fills the table; before the functions below are used in an operation. */
export function prepareExponentials(): void {
  put(ONE, 1);
  put(HALF, 0.5);
  put(LARGEST, LARGEST_ARGUMENT);
  put(LOG2_E, 1.4426950408889634);
  put(LN2_FIRST, LN2_HIGH);
  put(LN2_REST, LN2_LOW);
  v128.store(scratch + EXPONENT_BIAS, i64x2.splat(1023));
  let factorial: f64 = 2;
  for (let n: u32 = 3; n <= 10; n++) {
    factorial *= <f64>n;
    put(FACTORIALS + (n - 3) * 16, 1 / factorial);
  }
  v128.store(scratch + MANTISSA, i64x2.splat(0x000fffffffffffff));
  v128.store(scratch + ONE_BITS, i64x2.splat(0x3ff0000000000000));
  put(SQRT2, 1.4142135623730951);
  put(LN2, 0.6931471805599453);
  for (let n: u32 = 0; n <= 8; n++) put(LOG_SERIES + n * 16, 2.0 / <f64>(2 * n + 1));
  v128.store(scratch + SIGN, i64x2.splat(0x8000000000000000));
  put(NEAR, NEAR_ZERO);
  put(THIRD, -1.0 / 3);
  put(TWO_FIFTEENTHS, 2.0 / 15);
  put(THRESHOLD, SOFTPLUS_THRESHOLD);
  put(ROUNDER, 6755399441055744);
}

function put(at: usize, value: f64): void {
  v128.store(scratch + at, f64x2.splat(value));
}

/** a·b + the constant at a place, rounded twice in every variant: the same bits with and without fused multiply-add. */
// @ts-ignore: decorator
@inline
function horner(a: v128, b: v128, table: usize, place: usize): v128 {
  return f64x2.add(f64x2.mul(a, b), v128.load(table + place));
}

/**
 * exp: x = n·ln 2 + r with |r| ≤ ln 2 / 2, exp(r) by its Taylor polynomial of degree 10 (relative error below
 * 3·10^-13), times 2^n. NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function exp64(x: v128, table: usize): v128 {
  const largest = v128.load(table + LARGEST), one = v128.load(table + ONE);
  // Unlike min and max, one instruction each; NaN stays as the first operand.
  const bounded = f64x2.pmax(f64x2.pmin(x, largest), f64x2.neg(largest));
  const shifted = f64x2.add(f64x2.mul(bounded, v128.load(table + LOG2_E)), v128.load(table + ROUNDER));
  const n = f64x2.sub(shifted, v128.load(table + ROUNDER));
  const r = f64x2.sub(
    f64x2.sub(bounded, f64x2.mul(n, v128.load(table + LN2_FIRST))), f64x2.mul(n, v128.load(table + LN2_REST)),
  );
  let p = horner(v128.load(table + FACTORIALS + 112), r, table, FACTORIALS + 96);
  p = horner(p, r, table, FACTORIALS + 80);
  p = horner(p, r, table, FACTORIALS + 64);
  p = horner(p, r, table, FACTORIALS + 48);
  p = horner(p, r, table, FACTORIALS + 32);
  p = horner(p, r, table, FACTORIALS + 16);
  p = horner(p, r, table, FACTORIALS);
  p = horner(p, r, table, HALF);
  p = f64x2.add(f64x2.mul(p, r), one);
  p = f64x2.add(f64x2.mul(p, r), one);
  // The low bits of `shifted` are n.
  return f64x2.mul(p, i64x2.shl(i64x2.add(shifted, v128.load(table + EXPONENT_BIAS)), 52));
}

/**
 * log: x = 2^e·m with m from √½ to √2, s = (m - 1) / (m + 1), log m = 2·(s + s³/3 + … + s^17/17) (relative error
 * below 10^-14). Zero of either sign gives -∞, a negative number NaN. x is a normal double: every float32 is one.
 */
// @ts-ignore: decorator
@inline
export function log64(x: v128, table: usize): v128 {
  const one = v128.load(table + ONE);
  const mantissa = v128.or(v128.and(x, v128.load(table + MANTISSA)), v128.load(table + ONE_BITS));
  const large = f64x2.gt(mantissa, v128.load(table + SQRT2));
  const m = v128.bitselect(f64x2.mul(mantissa, v128.load(table + HALF)), mantissa, large);
  // A comparison gives -1 per lane where it holds.
  const biased = i64x2.sub(i64x2.sub(i64x2.shr_u(x, 52), v128.load(table + EXPONENT_BIAS)), large);
  const e = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(biased, biased, 0, 2, 0, 2));
  const s = f64x2.div(f64x2.sub(m, one), f64x2.add(m, one));
  const z = f64x2.mul(s, s);
  let p = horner(v128.load(table + LOG_SERIES + 128), z, table, LOG_SERIES + 112);
  p = horner(p, z, table, LOG_SERIES + 96);
  p = horner(p, z, table, LOG_SERIES + 80);
  p = horner(p, z, table, LOG_SERIES + 64);
  p = horner(p, z, table, LOG_SERIES + 48);
  p = horner(p, z, table, LOG_SERIES + 32);
  p = horner(p, z, table, LOG_SERIES + 16);
  p = horner(p, z, table, LOG_SERIES);
  const finite = f64x2.add(f64x2.mul(e, v128.load(table + LN2)), f64x2.mul(p, s));
  const zero = f64x2.splat(0);
  const unbounded = v128.bitselect(x, finite, f64x2.eq(x, f64x2.splat(Infinity)));
  const atZero = v128.bitselect(f64x2.splat(-Infinity), unbounded, f64x2.eq(x, zero));
  // Neither x ≥ 0: negative or NaN.
  return v128.bitselect(atZero, f64x2.splat(NaN), f64x2.ge(x, zero));
}

/** 1 / (1 + exp(-x)). */
// @ts-ignore: decorator
@inline
export function sigmoid64(x: v128, table: usize): v128 {
  const one = v128.load(table + ONE);
  return f64x2.div(one, f64x2.add(one, exp64(f64x2.neg(x), table)));
}

/** tanh: (1 - t) / (1 + t) with t = exp(-2|x|), and x - x³/3 + 2x⁵/15 near zero, where that would cancel. */
// @ts-ignore: decorator
@inline
export function tanh64(x: v128, table: usize): v128 {
  const one = v128.load(table + ONE), size = f64x2.abs(x);
  const t = exp64(f64x2.neg(f64x2.add(size, size)), table);
  const away = f64x2.div(f64x2.sub(one, t), f64x2.add(one, t));
  const signed = v128.or(away, v128.and(x, v128.load(table + SIGN)));
  const square = f64x2.mul(x, x);
  const series = horner(horner(v128.load(table + TWO_FIFTEENTHS), square, table, THIRD), square, table, ONE);
  return v128.bitselect(f64x2.mul(x, series), signed, f64x2.lt(size, v128.load(table + NEAR)));
}

/** log(1 + exp(x)). */
// @ts-ignore: decorator
@inline
export function softplus64(x: v128, table: usize): v128 {
  const e = exp64(x, table), threshold = v128.load(table + THRESHOLD);
  const middle = log64(f64x2.add(v128.load(table + ONE), e), table);
  const lower = v128.bitselect(e, middle, f64x2.lt(x, threshold));
  return v128.bitselect(x, lower, f64x2.gt(x, f64x2.neg(threshold)));
}

/** x for x ≥ 0, else exp(x) - 1, near zero x + x²/2 + x³/6, where that would cancel. */
// @ts-ignore: decorator
@inline
export function elu64(x: v128, table: usize): v128 {
  const away = f64x2.sub(exp64(x, table), v128.load(table + ONE));
  const series = horner(horner(v128.load(table + FACTORIALS), x, table, HALF), x, table, ONE);
  const below = v128.bitselect(f64x2.mul(x, series), away, f64x2.gt(x, f64x2.neg(v128.load(table + NEAR))));
  return v128.bitselect(x, below, f64x2.ge(x, f64x2.splat(0)));
}
