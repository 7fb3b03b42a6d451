import { elu64, exp64, log64, prepareExponentials, sigmoid64, softplus64, tanh64 } from "./exponentials";
import { promoteHigh } from "./simd";
import { real, size, word } from "./tape";
import { members, scratch, shareEnd, shareStart } from "./team";

// Functions of one and of two arrays, entry by entry. A kind is a constant wherever `unaryValue` and
// `binaryValue` are inlined, so that each kind becomes a loop of its own.

// Kinds, in the order of src/layer-operations.ts.
const ADD: u32 = 0;
const SUBTRACT: u32 = 1;
const MULTIPLY: u32 = 2;
const DIVIDE: u32 = 3;
const MAXIMUM: u32 = 4;
const MINIMUM: u32 = 5;
const SQUARED_DIFFERENCE: u32 = 6;
const PRELU: u32 = 7;
const ELU_GRADIENT: u32 = 8;
const RELU_GRADIENT: u32 = 9;

const NEGATE: u32 = 0;
const ABSOLUTE: u32 = 1;
const SQUARE: u32 = 2;
const SQUARE_ROOT: u32 = 3;
const RECIPROCAL_SQUARE_ROOT: u32 = 4;
const RECIPROCAL: u32 = 5;
const RELU: u32 = 6;
const RELU6: u32 = 7;
const STEP: u32 = 8;
const LEAKY_RELU: u32 = 9;
const ELU: u32 = 10;
const EXPONENTIAL: u32 = 11;
const LOGARITHM: u32 = 12;
const SIGMOID: u32 = 13;
const TANH: u32 = 14;
const SOFTPLUS: u32 = 15;

/** Shares start at multiples of a cache line of floats. */
const LINE: u32 = 16;
/** Fewer rows than this a thread: threads share the columns instead. */
const ROWS_PER_THREAD: u32 = 4;

// @ts-ignore: decorator
@inline
function binaryValue(kind: u32, a: v128, b: v128): v128 {
  if (kind == ADD) return f32x4.add(a, b);
  if (kind == SUBTRACT) return f32x4.sub(a, b);
  if (kind == MULTIPLY) return f32x4.mul(a, b);
  if (kind == DIVIDE) return f32x4.div(a, b);
  if (kind == MAXIMUM) return f32x4.max(a, b);
  if (kind == MINIMUM) return f32x4.min(a, b);
  if (kind == SQUARED_DIFFERENCE) return f32x4.mul(f32x4.sub(a, b), f32x4.sub(a, b));
  const zero = f32x4.splat(0);
  if (kind == PRELU) return v128.bitselect(f32x4.mul(b, a), a, f32x4.lt(a, zero));
  if (kind == ELU_GRADIENT) {
    return v128.bitselect(a, f32x4.mul(a, f32x4.add(b, f32x4.splat(1))), f32x4.ge(b, zero));
  }
  // RELU_GRADIENT.
  return v128.andnot(a, f32x4.le(b, zero));
}

/** 1 where x > 0, NaN where x is NaN, else `below`. */
// @ts-ignore: decorator
@inline
function stepOf(x: v128, below: v128): v128 {
  const step = v128.bitselect(f32x4.splat(1), below, f32x4.gt(x, f32x4.splat(0)));
  return v128.bitselect(x, step, f32x4.ne(x, x));
}

/** max(x, 0) with NaN kept and -0 made 0, in two instructions instead of the many of an exact maximum. */
// @ts-ignore: decorator
@inline
function rectified(x: v128): v128 {
  return f32x4.add(f32x4.pmax(x, f32x4.splat(0)), f32x4.splat(0));
}

// @ts-ignore: decorator
@inline
function unaryValue(kind: u32, x: v128, alpha: v128): v128 {
  const zero = f32x4.splat(0), one = f32x4.splat(1);
  if (kind == NEGATE) return f32x4.neg(x);
  if (kind == ABSOLUTE) return f32x4.abs(x);
  if (kind == SQUARE) return f32x4.mul(x, x);
  if (kind == SQUARE_ROOT) return f32x4.sqrt(x);
  if (kind == RECIPROCAL_SQUARE_ROOT) return f32x4.div(one, f32x4.sqrt(x));
  if (kind == RECIPROCAL) return f32x4.div(one, x);
  if (kind == RELU) return rectified(x);
  if (kind == RELU6) return f32x4.pmin(rectified(x), f32x4.splat(6));
  if (kind == STEP) return stepOf(x, alpha);
  // LEAKY_RELU.
  return v128.bitselect(f32x4.mul(alpha, x), x, f32x4.lt(x, zero));
}

/** The first `count` (1 to 3) lanes. */
export function storeLanes(out: usize, x: v128, count: u32): void {
  v128.store_lane<f32>(out, x, 0);
  if (count > 1) v128.store_lane<f32>(out, x, 1, 4);
  if (count > 2) v128.store_lane<f32>(out, x, 2, 8);
}

// @ts-ignore: decorator
@inline
function mapRow(kind: u32, out: usize, x: usize, alpha: v128, count: u32): void {
  for (; count >= 8; count -= 8) {
    v128.store(out, unaryValue(kind, v128.load(x), alpha));
    v128.store(out, unaryValue(kind, v128.load(x, 16), alpha), 16);
    out += 32; x += 32;
  }
  for (; count >= 4; count -= 4, out += 16, x += 16) v128.store(out, unaryValue(kind, v128.load(x), alpha));
  if (count > 0) storeLanes(out, unaryValue(kind, v128.load(x), alpha), count);
}

/** out = f(x), f by kind. */
export function unary(record: usize): void {
  const count = size(record, 0), first = shareStart(count, LINE), offset = <usize>first << 2;
  const kind = word(record, 4), out = word(record, 5) + offset, x = word(record, 6) + offset;
  const alpha = f32x4.splat(real(record, 7)), own = shareEnd(count, LINE) - first;
  switch (kind) {
    case NEGATE: mapRow(NEGATE, out, x, alpha, own); break;
    case ABSOLUTE: mapRow(ABSOLUTE, out, x, alpha, own); break;
    case SQUARE: mapRow(SQUARE, out, x, alpha, own); break;
    case SQUARE_ROOT: mapRow(SQUARE_ROOT, out, x, alpha, own); break;
    case RECIPROCAL_SQUARE_ROOT: mapRow(RECIPROCAL_SQUARE_ROOT, out, x, alpha, own); break;
    case RECIPROCAL: mapRow(RECIPROCAL, out, x, alpha, own); break;
    case RELU: mapRow(RELU, out, x, alpha, own); break;
    case RELU6: mapRow(RELU6, out, x, alpha, own); break;
    case STEP: mapRow(STEP, out, x, alpha, own); break;
    case LEAKY_RELU: mapRow(LEAKY_RELU, out, x, alpha, own); break;
    case ELU: mapWideRow(ELU, out, x, own); break;
    case EXPONENTIAL: mapWideRow(EXPONENTIAL, out, x, own); break;
    case LOGARITHM: mapWideRow(LOGARITHM, out, x, own); break;
    case SIGMOID: mapWideRow(SIGMOID, out, x, own); break;
    case TANH: mapWideRow(TANH, out, x, own); break;
    case SOFTPLUS: mapWideRow(SOFTPLUS, out, x, own); break;
    default: unreachable();
  }
}

/** mapRow for functions that are taken in float64. */
// @ts-ignore: decorator
@inline
function mapWideRow(kind: u32, out: usize, x: usize, count: u32): void {
  prepareExponentials();
  const table = scratch;
  while (count > 0) {
    const values = v128.load(x);
    const low = f32x4.demote_f64x2_zero(wideValue(kind, f64x2.promote_low_f32x4(values), table));
    const high = f32x4.demote_f64x2_zero(wideValue(kind, promoteHigh(values), table));
    const results = v128.shuffle<i32>(low, high, 0, 1, 4, 5);
    if (count < 4) {
      storeLanes(out, results, count);
      return;
    }
    v128.store(out, results);
    out += 16; x += 16; count -= 4;
  }
}

// @ts-ignore: decorator
@inline
function wideValue(kind: u32, x: v128, table: usize): v128 {
  if (kind == ELU) return elu64(x, table);
  if (kind == EXPONENTIAL) return exp64(x, table);
  if (kind == LOGARITHM) return log64(x, table);
  if (kind == SIGMOID) return sigmoid64(x, table);
  if (kind == TANH) return tanh64(x, table);
  return softplus64(x, table);
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

// @ts-ignore: decorator
@inline
function combineRow(kind: u32, out: usize, a: usize, aStep: usize, b: usize, bStep: usize, count: u32): void {
  for (; count >= 16; count -= 16) {
    v128.store(out, binaryValue(kind, v128.load(a), v128.load(b)));
    v128.store(out, binaryValue(kind, v128.load(a, 16), v128.load(b, 16)), 16);
    v128.store(out, binaryValue(kind, v128.load(a, 32), v128.load(b, 32)), 32);
    v128.store(out, binaryValue(kind, v128.load(a, 48), v128.load(b, 48)), 48);
    out += 64; a += aStep; b += bStep;
  }
  const aQuarter = aStep >> 2, bQuarter = bStep >> 2;
  for (; count >= 4; count -= 4) {
    v128.store(out, binaryValue(kind, v128.load(a), v128.load(b)));
    out += 16; a += aQuarter; b += bQuarter;
  }
  if (count > 0) storeLanes(out, binaryValue(kind, v128.load(a), v128.load(b)), count);
}

/** out[o, r, c] = f(a[o, r, c], b[o, r, c]) with strides of 0 where an operand is broadcast. */
export function binary(record: usize): void {
  switch (word(record, 4)) {
    case ADD: combine(ADD, record); break;
    case SUBTRACT: combine(SUBTRACT, record); break;
    case MULTIPLY: combine(MULTIPLY, record); break;
    case DIVIDE: combine(DIVIDE, record); break;
    case MAXIMUM: combine(MAXIMUM, record); break;
    case MINIMUM: combine(MINIMUM, record); break;
    case SQUARED_DIFFERENCE: combine(SQUARED_DIFFERENCE, record); break;
    case PRELU: combine(PRELU, record); break;
    case ELU_GRADIENT: combine(ELU_GRADIENT, record); break;
    case RELU_GRADIENT: combine(RELU_GRADIENT, record); break;
    default: unreachable();
  }
}

// @ts-ignore: decorator
@inline
function combine(kind: u32, record: usize): void {
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
    combineRow(kind, out + (<usize>(line * width + first) << 2), left, aStep, right, bStep, count);
    if (++row == rows) {
      row = 0;
      outer++;
    }
  }
}
