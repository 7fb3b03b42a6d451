// Exponential functions of two doubles at a time. Arguments come from float32 and results go back to it, so
// that errors far below 2^-24 and the ends of float32's range are all that matters here.

/** exp(x) for |x| beyond any float32 result: larger arguments give the same infinity and zero after rounding. */
const LARGEST_ARGUMENT: f64 = 200;
const LOG2_E: f64 = 1.4426950408889634;
const LN2_HIGH: f64 = 0.693147180369123816490;
const LN2_LOW: f64 = 1.90821492927058770002e-10;
const LN2: f64 = 0.6931471805599453;
const SQRT2: f64 = 1.4142135623730951;

/** Below this softplus(x) is exp(x) and above its negative it is x, both to float32: tfjs's own bounds. */
const SOFTPLUS_THRESHOLD: f64 = -13.942385196685791;

/** a·b + c, rounded twice in every variant: the same bits with and without fused multiply-add. */
// @ts-ignore: decorator
@inline
function horner(a: v128, b: v128, c: f64): v128 {
  return f64x2.add(f64x2.mul(a, b), f64x2.splat(c));
}

/**
 * exp: x = n·ln 2 + r with |r| ≤ ln 2 / 2, exp(r) by its Taylor polynomial of degree 10 (relative error below
 * 3·10^-13), times 2^n. NaN stays NaN.
 */
// @ts-ignore: decorator
@inline
export function exp64(x: v128): v128 {
  const bounded = f64x2.max(f64x2.min(x, f64x2.splat(LARGEST_ARGUMENT)), f64x2.splat(-LARGEST_ARGUMENT));
  const n = f64x2.nearest(f64x2.mul(bounded, f64x2.splat(LOG2_E)));
  const r = f64x2.sub(
    f64x2.sub(bounded, f64x2.mul(n, f64x2.splat(LN2_HIGH))), f64x2.mul(n, f64x2.splat(LN2_LOW)),
  );
  let p = horner(f64x2.splat(1.0 / 3628800), r, 1.0 / 362880);
  p = horner(p, r, 1.0 / 40320);
  p = horner(p, r, 1.0 / 5040);
  p = horner(p, r, 1.0 / 720);
  p = horner(p, r, 1.0 / 120);
  p = horner(p, r, 1.0 / 24);
  p = horner(p, r, 1.0 / 6);
  p = horner(p, r, 0.5);
  p = horner(p, r, 1);
  p = horner(p, r, 1);
  const exponent = i64x2.extend_low_i32x4_s(i32x4.trunc_sat_f64x2_s_zero(n));
  return f64x2.mul(p, i64x2.shl(i64x2.add(exponent, i64x2.splat(1023)), 52));
}

/**
 * log: x = 2^e·m with m from √½ to √2, s = (m - 1) / (m + 1), log m = 2·(s + s³/3 + … + s^17/17) (relative error
 * below 10^-14). Zero of either sign gives -∞, a negative number NaN. x is a normal double: every float32 is one.
 */
// @ts-ignore: decorator
@inline
export function log64(x: v128): v128 {
  const mantissa = v128.or(
    v128.and(x, i64x2.splat(0x000fffffffffffff)), i64x2.splat(0x3ff0000000000000),
  );
  const large = f64x2.gt(mantissa, f64x2.splat(SQRT2));
  const m = v128.bitselect(f64x2.mul(mantissa, f64x2.splat(0.5)), mantissa, large);
  // A comparison gives -1 per lane where it holds.
  const biased = i64x2.sub(i64x2.sub(i64x2.shr_u(x, 52), i64x2.splat(1023)), large);
  const e = f64x2.convert_low_i32x4_s(v128.shuffle<i32>(biased, biased, 0, 2, 0, 2));
  const s = f64x2.div(f64x2.sub(m, f64x2.splat(1)), f64x2.add(m, f64x2.splat(1)));
  const z = f64x2.mul(s, s);
  let p = horner(f64x2.splat(2.0 / 17), z, 2.0 / 15);
  p = horner(p, z, 2.0 / 13);
  p = horner(p, z, 2.0 / 11);
  p = horner(p, z, 2.0 / 9);
  p = horner(p, z, 2.0 / 7);
  p = horner(p, z, 2.0 / 5);
  p = horner(p, z, 2.0 / 3);
  p = horner(p, z, 2.0);
  const finite = f64x2.add(f64x2.mul(e, f64x2.splat(LN2)), f64x2.mul(p, s));
  const zero = f64x2.splat(0);
  const unbounded = v128.bitselect(x, finite, f64x2.eq(x, f64x2.splat(Infinity)));
  const atZero = v128.bitselect(f64x2.splat(-Infinity), unbounded, f64x2.eq(x, zero));
  // Neither x ≥ 0: negative or NaN.
  return v128.bitselect(atZero, f64x2.splat(NaN), f64x2.ge(x, zero));
}

/** 1 / (1 + exp(-x)). */
// @ts-ignore: decorator
@inline
export function sigmoid64(x: v128): v128 {
  const one = f64x2.splat(1);
  return f64x2.div(one, f64x2.add(one, exp64(f64x2.neg(x))));
}

/** tanh: (1 - t) / (1 + t) with t = exp(-2|x|), and x - x³/3 + 2x⁵/15 near zero, where that would cancel. */
// @ts-ignore: decorator
@inline
export function tanh64(x: v128): v128 {
  const one = f64x2.splat(1), size = f64x2.abs(x);
  const t = exp64(f64x2.mul(size, f64x2.splat(-2)));
  const away = f64x2.div(f64x2.sub(one, t), f64x2.add(one, t));
  const signed = v128.or(away, v128.and(x, i64x2.splat(0x8000000000000000)));
  const square = f64x2.mul(x, x);
  const near = f64x2.mul(x, horner(horner(f64x2.splat(2.0 / 15), square, -1.0 / 3), square, 1));
  return v128.bitselect(near, signed, f64x2.lt(size, f64x2.splat(0.0009765625)));
}

/** log(1 + exp(x)). */
// @ts-ignore: decorator
@inline
export function softplus64(x: v128): v128 {
  const e = exp64(x);
  const middle = log64(f64x2.add(f64x2.splat(1), e));
  const lower = v128.bitselect(e, middle, f64x2.lt(x, f64x2.splat(SOFTPLUS_THRESHOLD)));
  return v128.bitselect(x, lower, f64x2.gt(x, f64x2.splat(-SOFTPLUS_THRESHOLD)));
}

/** x for x ≥ 0, else exp(x) - 1, near zero x + x²/2 + x³/6, where that would cancel. */
// @ts-ignore: decorator
@inline
export function elu64(x: v128): v128 {
  const away = f64x2.sub(exp64(x), f64x2.splat(1));
  const near = f64x2.mul(x, horner(horner(f64x2.splat(1.0 / 6), x, 0.5), x, 1));
  const below = v128.bitselect(near, away, f64x2.gt(x, f64x2.splat(-0.0009765625)));
  return v128.bitselect(x, below, f64x2.ge(x, f64x2.splat(0)));
}
