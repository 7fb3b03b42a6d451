import { promoteHigh } from "./simd";
import { size, word } from "./tape";
import { meet, scratch, SEGMENTS, shareEnd, shareStart } from "./team";

// out[o, i] = reduction over r of x[o, r, i]. Sums and products are taken in float64. The reduced axis is cut
// into pieces by its length alone, so that the bits do not depend on the thread count.

// Kinds, in the order of src/layer-operations.ts.
const SUM: u32 = 0;
const MEAN: u32 = 1;
const MAXIMUM: u32 = 2;
const MINIMUM: u32 = 3;
const PRODUCT: u32 = 4;

/** Columns that are reduced together: a cache line of floats, whose float64 totals stay in registers. */
const BLOCK: u32 = 16;
const BLOCK_BYTES: usize = <usize>BLOCK << 3;
/** As many independent reductions as this keep all threads busy without cutting the reduced axis. */
const MANY: u32 = 32;
/** Rows or entries of a piece, at least. */
const LEAST_ROWS: u32 = 64;
const LEAST_ENTRIES: u32 = 4096;

/** How long the pieces of the reduced axis are; src/layer-operations.ts says the same to reserve the workspace. */
function pieceLength(outer: u32, reduced: u32, inner: u32): u32 {
  if (outer >= MANY) return reduced;
  return max<u32>(inner == 1 ? LEAST_ENTRIES : LEAST_ROWS, (reduced + SEGMENTS - 1) / SEGMENTS);
}

export function reduce(record: usize): void {
  switch (word(record, 4)) {
    case SUM: case MEAN: reduceBy(SUM, record); break;
    case MAXIMUM: reduceBy(MAXIMUM, record); break;
    case MINIMUM: reduceBy(MINIMUM, record); break;
    case PRODUCT: reduceBy(PRODUCT, record); break;
    default: unreachable();
  }
}

// @ts-ignore: decorator
@inline
function reduceBy(kind: u32, record: usize): void {
  const outer = size(record, 0), reduced = size(record, 1), inner = size(record, 2);
  const out = word(record, 5), x = word(record, 6), workspace = word(record, 7);
  const divisor: f64 = word(record, 4) == MEAN ? <f64>reduced : 1;
  const step = pieceLength(outer, reduced, inner), pieces = (reduced + step - 1) / step;
  const blocks = (inner + BLOCK - 1) / BLOCK, rowBytes = <usize>inner << 2;
  const units = outer * pieces * blocks, end = shareEnd(units, 1);
  for (let unit = shareStart(units, 1); unit < end; unit++) {
    const block = unit % blocks, rest = unit / blocks;
    const piece = rest % pieces, position = rest / pieces;
    const first = piece * step, rows = min<u32>(step, reduced - first);
    const from = x + (<usize>position * reduced + first) * rowBytes + <usize>block * BLOCK * 4;
    const totals = pieces == 1 ? scratch : workspace + unit * BLOCK_BYTES;
    if (inner == 1) store<f64>(totals, reduceRun(kind, from, rows));
    else reduceColumns(kind, totals, from, rows, rowBytes);
    if (pieces == 1) {
      const column = block * BLOCK;
      writeTotals(out + (<usize>(position * inner + column) << 2), totals, min<u32>(BLOCK, inner - column), divisor);
    }
  }
  if (pieces > 1) {
    meet();
    combinePieces(kind, record, pieces, divisor);
  }
}

function writeTotals(out: usize, totals: usize, count: u32, divisor: f64): void {
  for (let column: usize = 0; column < count; column++) {
    store<f32>(out + (column << 2), <f32>(load<f64>(totals + (column << 3)) / divisor));
  }
}

/** The totals of the pieces, in their order. */
// @ts-ignore: decorator
@inline
function combinePieces(kind: u32, record: usize, pieces: u32, divisor: f64): void {
  const outer = size(record, 0), inner = size(record, 2);
  const out = word(record, 5), workspace = word(record, 7);
  const blocks = (inner + BLOCK - 1) / BLOCK, end = shareEnd(outer * blocks, 1);
  for (let item = shareStart(outer * blocks, 1); item < end; item++) {
    const position = item / blocks, block = item - position * blocks, column = block * BLOCK;
    const count = min<u32>(BLOCK, inner - column);
    const first = workspace + <usize>(position * pieces * blocks + block) * BLOCK_BYTES;
    for (let entry: usize = 0; entry < count; entry++) {
      let total = load<f64>(first + (entry << 3));
      for (let piece: u32 = 1; piece < pieces; piece++) {
        total = joined(kind, total, load<f64>(first + <usize>(piece * blocks) * BLOCK_BYTES + (entry << 3)));
      }
      store<f32>(out + (<usize>(position * inner + column + entry) << 2), <f32>(total / divisor));
    }
  }
}

// @ts-ignore: decorator
@inline
function joined(kind: u32, a: f64, b: f64): f64 {
  if (kind == SUM) return a + b;
  if (kind == MAXIMUM) return max<f64>(a, b);
  if (kind == MINIMUM) return min<f64>(a, b);
  return a * b;
}

// @ts-ignore: decorator
@inline
function joinedPairs(kind: u32, a: v128, b: v128): v128 {
  if (kind == SUM) return f64x2.add(a, b);
  if (kind == MAXIMUM) return f64x2.max(a, b);
  if (kind == MINIMUM) return f64x2.min(a, b);
  return f64x2.mul(a, b);
}

// @ts-ignore: decorator
@inline
function neutral(kind: u32): f64 {
  if (kind == SUM) return 0;
  if (kind == MAXIMUM) return -Infinity;
  if (kind == MINIMUM) return Infinity;
  return 1;
}

/** A run of adjacent entries, in eight interleaved totals. */
// @ts-ignore: decorator
@inline
function reduceRun(kind: u32, x: usize, count: u32): f64 {
  const start = f64x2.splat(neutral(kind));
  let s0 = start, s1 = start, s2 = start, s3 = start;
  for (; count >= 8; count -= 8, x += 32) {
    const a = v128.load(x), b = v128.load(x, 16);
    s0 = joinedPairs(kind, s0, f64x2.promote_low_f32x4(a));
    s1 = joinedPairs(kind, s1, promoteHigh(a));
    s2 = joinedPairs(kind, s2, f64x2.promote_low_f32x4(b));
    s3 = joinedPairs(kind, s3, promoteHigh(b));
  }
  const pairs = joinedPairs(kind, joinedPairs(kind, s0, s1), joinedPairs(kind, s2, s3));
  let total = joined(kind, f64x2.extract_lane(pairs, 0), f64x2.extract_lane(pairs, 1));
  for (; count > 0; count--, x += 4) total = joined(kind, total, <f64>load<f32>(x));
  return total;
}

/** Totals of BLOCK adjacent columns; columns past the end of a row hold whatever lies there. */
// @ts-ignore: decorator
@inline
function reduceColumns(kind: u32, totals: usize, x: usize, rows: u32, rowBytes: usize): void {
  const start = f64x2.splat(neutral(kind));
  let s0 = start, s1 = start, s2 = start, s3 = start, s4 = start, s5 = start, s6 = start, s7 = start;
  for (; rows > 0; rows--, x += rowBytes) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32), d = v128.load(x, 48);
    s0 = joinedPairs(kind, s0, f64x2.promote_low_f32x4(a));
    s1 = joinedPairs(kind, s1, promoteHigh(a));
    s2 = joinedPairs(kind, s2, f64x2.promote_low_f32x4(b));
    s3 = joinedPairs(kind, s3, promoteHigh(b));
    s4 = joinedPairs(kind, s4, f64x2.promote_low_f32x4(c));
    s5 = joinedPairs(kind, s5, promoteHigh(c));
    s6 = joinedPairs(kind, s6, f64x2.promote_low_f32x4(d));
    s7 = joinedPairs(kind, s7, promoteHigh(d));
  }
  v128.store(totals, s0);
  v128.store(totals, s1, 16);
  v128.store(totals, s2, 32);
  v128.store(totals, s3, 48);
  v128.store(totals, s4, 64);
  v128.store(totals, s5, 80);
  v128.store(totals, s6, 96);
  v128.store(totals, s7, 112);
}
