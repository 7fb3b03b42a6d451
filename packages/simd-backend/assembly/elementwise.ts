import { elu64, exp64, log64, prepareExponentials, sigmoid64, softplus64, tanh64 } from "./exponentials";
import { promoteHigh } from "./simd";
import { real, size, word } from "./tape";
import { members, scratch, shareEnd, shareStart } from "./team";

// Functions of one and of two arrays, entry by entry. Each function is a class with one method, so that the
// generic loops are compiled once for each of them; nothing is ever allocated.

/** Shares start at multiples of a cache line of floats. */
const LINE: u32 = 16;
/** Fewer rows than this a thread: threads share the columns instead. */
const ROWS_PER_THREAD: u32 = 4;

@final class Negate {
  @inline at(x: v128, alpha: v128): v128 { return f32x4.neg(x); }
}

@final class Absolute {
  @inline at(x: v128, alpha: v128): v128 { return f32x4.abs(x); }
}

@final class Square {
  @inline at(x: v128, alpha: v128): v128 { return f32x4.mul(x, x); }
}

@final class SquareRoot {
  @inline at(x: v128, alpha: v128): v128 { return f32x4.sqrt(x); }
}

@final class ReciprocalSquareRoot {
  @inline at(x: v128, alpha: v128): v128 { return f32x4.div(f32x4.splat(1), f32x4.sqrt(x)); }
}

@final class Reciprocal {
  @inline at(x: v128, alpha: v128): v128 { return f32x4.div(f32x4.splat(1), x); }
}

@final class Relu {
  @inline at(x: v128, alpha: v128): v128 { return rectified(x); }
}

@final class Relu6 {
  @inline at(x: v128, alpha: v128): v128 { return f32x4.pmin(rectified(x), f32x4.splat(6)); }
}

@final class Step {
  @inline at(x: v128, alpha: v128): v128 {
    const step = v128.bitselect(f32x4.splat(1), alpha, f32x4.gt(x, f32x4.splat(0)));
    return v128.bitselect(x, step, f32x4.ne(x, x));
  }
}

@final class LeakyRelu {
  @inline at(x: v128, alpha: v128): v128 {
    return v128.bitselect(f32x4.mul(alpha, x), x, f32x4.lt(x, f32x4.splat(0)));
  }
}

/** max(x, 0) with NaN kept and -0 made 0, in two instructions instead of the many of an exact maximum. */
// @ts-ignore: decorator
@inline
function rectified(x: v128): v128 {
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), f32x4.splat(0));
}

// Functions of two doubles, with the table of constants.

@final class Elu {
  @inline at(x: v128, table: usize): v128 { return elu64(x, table); }
}

@final class Exponential {
  @inline at(x: v128, table: usize): v128 { return exp64(x, table); }
}

@final class Logarithm {
  @inline at(x: v128, table: usize): v128 { return log64(x, table); }
}

@final class Sigmoid {
  @inline at(x: v128, table: usize): v128 { return sigmoid64(x, table); }
}

@final class Tanh {
  @inline at(x: v128, table: usize): v128 { return tanh64(x, table); }
}

@final class Softplus {
  @inline at(x: v128, table: usize): v128 { return softplus64(x, table); }
}

/** out = f(x); kinds in the order of src/layer-operations.ts. */
export function unary(record: usize): void {
  switch (word(record, 4)) {
    case 0: map<Negate>(record); break;
    case 1: map<Absolute>(record); break;
    case 2: map<Square>(record); break;
    case 3: map<SquareRoot>(record); break;
    case 4: map<ReciprocalSquareRoot>(record); break;
    case 5: map<Reciprocal>(record); break;
    case 6: map<Relu>(record); break;
    case 7: map<Relu6>(record); break;
    case 8: map<Step>(record); break;
    case 9: map<LeakyRelu>(record); break;
    case 10: mapWide<Elu>(record); break;
    case 11: mapWide<Exponential>(record); break;
    case 12: mapWide<Logarithm>(record); break;
    case 13: mapWide<Sigmoid>(record); break;
    case 14: mapWide<Tanh>(record); break;
    case 15: mapWide<Softplus>(record); break;
    default: unreachable();
  }
}

function map<F>(record: usize): void {
  const count = size(record, 0), first = shareStart(count, LINE), offset = <usize>first << 2;
  let out = word(record, 5) + offset, x = word(record, 6) + offset, rest = shareEnd(count, LINE) - first;
  const alpha = f32x4.splat(real(record, 7)), f = changetype<F>(0);
  for (; rest >= 16; rest -= 16, out += 64, x += 64) {
    v128.store(out, f.at(v128.load(x), alpha));
    v128.store(out, f.at(v128.load(x, 16), alpha), 16);
    v128.store(out, f.at(v128.load(x, 32), alpha), 32);
    v128.store(out, f.at(v128.load(x, 48), alpha), 48);
  }
  for (; rest >= 4; rest -= 4, out += 16, x += 16) v128.store(out, f.at(v128.load(x), alpha));
  if (rest > 0) storeLanes(out, f.at(v128.load(x), alpha), rest);
}

/** map for functions that are taken in float64. */
function mapWide<F>(record: usize): void {
  prepareExponentials();
  const table = scratch, f = changetype<F>(0);
  const count = size(record, 0), first = shareStart(count, LINE), offset = <usize>first << 2;
  let out = word(record, 5) + offset, x = word(record, 6) + offset, rest = shareEnd(count, LINE) - first;
  while (rest > 0) {
    const values = v128.load(x);
    const low = f32x4.demote_f64x2_zero(f.at(f64x2.promote_low_f32x4(values), table));
    const high = f32x4.demote_f64x2_zero(f.at(promoteHigh(values), table));
    const results = v128.shuffle<i32>(low, high, 0, 1, 4, 5);
    if (rest < 4) {
      storeLanes(out, results, rest);
      return;
    }
    v128.store(out, results);
    out += 16; x += 16; rest -= 4;
  }
}

/** The first `count` (1 to 3) lanes. */
export function storeLanes(out: usize, x: v128, count: u32): void {
  v128.store_lane<f32>(out, x, 0);
  if (count > 1) v128.store_lane<f32>(out, x, 1, 4);
  if (count > 2) v128.store_lane<f32>(out, x, 2, 8);
}

@final class Add {
  @inline at(a: v128, b: v128): v128 { return f32x4.add(a, b); }
}

@final class Subtract {
  @inline at(a: v128, b: v128): v128 { return f32x4.sub(a, b); }
}

@final class Multiply {
  @inline at(a: v128, b: v128): v128 { return f32x4.mul(a, b); }
}

@final class Divide {
  @inline at(a: v128, b: v128): v128 { return f32x4.div(a, b); }
}

@final class Maximum {
  @inline at(a: v128, b: v128): v128 { return f32x4.max(a, b); }
}

@final class Minimum {
  @inline at(a: v128, b: v128): v128 { return f32x4.min(a, b); }
}

@final class SquaredDifference {
  @inline at(a: v128, b: v128): v128 {
    const difference = f32x4.sub(a, b);
    return f32x4.mul(difference, difference);
  }
}

@final class Prelu {
  @inline at(a: v128, b: v128): v128 {
    return v128.bitselect(f32x4.mul(b, a), a, f32x4.lt(a, f32x4.splat(0)));
  }
}

@final class EluGradient {
  @inline at(a: v128, b: v128): v128 {
    const below = f32x4.mul(a, f32x4.add(b, f32x4.splat(1)));
    return v128.bitselect(a, below, f32x4.ge(b, f32x4.splat(0)));
  }
}

@final class ReluGradient {
  @inline at(a: v128, b: v128): v128 { return v128.andnot(a, f32x4.le(b, f32x4.splat(0))); }
}

/** out[o, r, c] = f(a[o, r, c], b[o, r, c]), strides 0 where an operand is broadcast; kinds as in src/layer-operations.ts. */
export function binary(record: usize): void {
  switch (word(record, 4)) {
    case 0: combine<Add>(record); break;
    case 1: combine<Subtract>(record); break;
    case 2: combine<Multiply>(record); break;
    case 3: combine<Divide>(record); break;
    case 4: combine<Maximum>(record); break;
    case 5: combine<Minimum>(record); break;
    case 6: combine<SquaredDifference>(record); break;
    case 7: combine<Prelu>(record); break;
    case 8: combine<EluGradient>(record); break;
    case 9: combine<ReluGradient>(record); break;
    default: unreachable();
  }
}

function combine<F>(record: usize): void {
  const rows = size(record, 1), width = size(record, 2), lines = size(record, 0) * rows;
  const out = word(record, 5), a = word(record, 6), b = word(record, 7);
  const aOuter = word(record, 8), aRow = word(record, 9), aColumn = word(record, 10);
  const bOuter = word(record, 11), bRow = word(record, 12), bColumn = word(record, 13);
  const byRows = lines >= ROWS_PER_THREAD * members;
  const firstLine = byRows ? shareStart(lines, 1) : 0, endLine = byRows ? shareEnd(lines, 1) : lines;
  const first = byRows ? 0 : shareStart(width, LINE), count = (byRows ? width : shareEnd(width, LINE)) - first;
  if (count == 0) return;
  const aStep: usize = aColumn == 0 ? 0 : 64, bStep: usize = bColumn == 0 ? 0 : 64;
  let outer = rows == 0 ? 0 : firstLine / rows, row = firstLine - outer * rows;
  for (let line = firstLine; line < endLine; line++) {
    let left = a + (<usize>(outer * aOuter + row * aRow + first * aColumn) << 2);
    let right = b + (<usize>(outer * bOuter + row * bRow + first * bColumn) << 2);
    if (aColumn == 0) left = repeated(scratch, left);
    if (bColumn == 0) right = repeated(scratch + 64, right);
    combineRow<F>(out + (<usize>(line * width + first) << 2), left, aStep, right, bStep, count);
    if (++row == rows) {
      row = 0;
      outer++;
    }
  }
}

// @ts-ignore: decorator
@inline
function combineRow<F>(out: usize, a: usize, aStep: usize, b: usize, bStep: usize, count: u32): void {
  const f = changetype<F>(0);
  for (; count >= 16; count -= 16) {
    v128.store(out, f.at(v128.load(a), v128.load(b)));
    v128.store(out, f.at(v128.load(a, 16), v128.load(b, 16)), 16);
    v128.store(out, f.at(v128.load(a, 32), v128.load(b, 32)), 32);
    v128.store(out, f.at(v128.load(a, 48), v128.load(b, 48)), 48);
    out += 64; a += aStep; b += bStep;
  }
  const aQuarter = aStep >> 2, bQuarter = bStep >> 2;
  for (; count >= 4; count -= 4) {
    v128.store(out, f.at(v128.load(a), v128.load(b)));
    out += 16; a += aQuarter; b += bQuarter;
  }
  if (count > 0) storeLanes(out, f.at(v128.load(a), v128.load(b)), count);
}

/** An operand that does not change along a row is repeated in scratch and read there without advancing. */
// @ts-ignore: decorator
@inline
function repeated(at: usize, from: usize): usize {
  const value = v128.load32_splat(from);
  v128.store(at, value);
  v128.store(at, value, 16);
  v128.store(at, value, 32);
  v128.store(at, value, 48);
  return at;
}
