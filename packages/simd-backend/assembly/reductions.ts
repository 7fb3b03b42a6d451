import { promoteHigh } from "./simd";
import { size, word } from "./tape";
import { meet, scratch, SEGMENTS, shareEnd, shareStart } from "./team";

// out[o, i] = reduction over r of x[o, r, i]. Sums and products are taken in float64. The reduced axis is cut
// into pieces by its length alone, so that the bits do not depend on the thread count.

/** How totals are joined; a class each, so that the generic loops are compiled once for each of them. */
@final class Sum {
  @inline neutral(): f64 { return 0; }
  @inline join(a: f64, b: f64): f64 { return a + b; }
  @inline joinPairs(a: v128, b: v128): v128 { return f64x2.add(a, b); }
}

@final class Maximum {
  @inline neutral(): f64 { return -Infinity; }
  @inline join(a: f64, b: f64): f64 { return max<f64>(a, b); }
  @inline joinPairs(a: v128, b: v128): v128 { return f64x2.max(a, b); }
}

@final class Minimum {
  @inline neutral(): f64 { return Infinity; }
  @inline join(a: f64, b: f64): f64 { return min<f64>(a, b); }
  @inline joinPairs(a: v128, b: v128): v128 { return f64x2.min(a, b); }
}

@final class Product {
  @inline neutral(): f64 { return 1; }
  @inline join(a: f64, b: f64): f64 { return a * b; }
  @inline joinPairs(a: v128, b: v128): v128 { return f64x2.mul(a, b); }
}

/** The position of "mean" among the kinds of src/layer-operations.ts. */
const MEAN: u32 = 1;

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
    case 0: reduceBy<Sum>(record); break;
    case MEAN: reduceBy<Sum>(record); break;
    case 2: reduceBy<Maximum>(record); break;
    case 3: reduceBy<Minimum>(record); break;
    case 4: reduceBy<Product>(record); break;
    default: unreachable();
  }
}

function reduceBy<Join>(record: usize): void {
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
    if (inner == 1) store<f64>(totals, reduceRun<Join>(from, rows));
    else reduceColumns<Join>(totals, from, rows, rowBytes);
    if (pieces == 1) {
      const column = block * BLOCK;
      writeTotals(out + (<usize>(position * inner + column) << 2), totals, min<u32>(BLOCK, inner - column), divisor);
    }
  }
  if (pieces > 1) {
    meet();
    combinePieces<Join>(record, pieces, divisor);
  }
}

function writeTotals(out: usize, totals: usize, count: u32, divisor: f64): void {
  for (let column: usize = 0; column < count; column++) {
    store<f32>(out + (column << 2), <f32>(load<f64>(totals + (column << 3)) / divisor));
  }
}

/** The totals of the pieces, in their order. */
function combinePieces<Join>(record: usize, pieces: u32, divisor: f64): void {
  const outer = size(record, 0), inner = size(record, 2);
  const out = word(record, 5), workspace = word(record, 7), by = changetype<Join>(0);
  const blocks = (inner + BLOCK - 1) / BLOCK, end = shareEnd(outer * blocks, 1);
  for (let item = shareStart(outer * blocks, 1); item < end; item++) {
    const position = item / blocks, block = item - position * blocks, column = block * BLOCK;
    const count = min<u32>(BLOCK, inner - column);
    const first = workspace + <usize>(position * pieces * blocks + block) * BLOCK_BYTES;
    for (let entry: usize = 0; entry < count; entry++) {
      let total = load<f64>(first + (entry << 3));
      for (let piece: u32 = 1; piece < pieces; piece++) {
        total = by.join(total, load<f64>(first + <usize>(piece * blocks) * BLOCK_BYTES + (entry << 3)));
      }
      store<f32>(out + (<usize>(position * inner + column + entry) << 2), <f32>(total / divisor));
    }
  }
}

/** A run of adjacent entries, in eight interleaved totals. */
function reduceRun<Join>(x: usize, count: u32): f64 {
  const by = changetype<Join>(0), start = f64x2.splat(by.neutral());
  let s0 = start, s1 = start, s2 = start, s3 = start;
  for (; count >= 8; count -= 8, x += 32) {
    const a = v128.load(x), b = v128.load(x, 16);
    s0 = by.joinPairs(s0, f64x2.promote_low_f32x4(a));
    s1 = by.joinPairs(s1, promoteHigh(a));
    s2 = by.joinPairs(s2, f64x2.promote_low_f32x4(b));
    s3 = by.joinPairs(s3, promoteHigh(b));
  }
  const pairs = by.joinPairs(by.joinPairs(s0, s1), by.joinPairs(s2, s3));
  let total = by.join(f64x2.extract_lane(pairs, 0), f64x2.extract_lane(pairs, 1));
  for (; count > 0; count--, x += 4) total = by.join(total, <f64>load<f32>(x));
  return total;
}

/** Totals of BLOCK adjacent columns; columns past the end of a row hold whatever lies there. */
function reduceColumns<Join>(totals: usize, x: usize, rows: u32, rowBytes: usize): void {
  const by = changetype<Join>(0), start = f64x2.splat(by.neutral());
  let s0 = start, s1 = start, s2 = start, s3 = start, s4 = start, s5 = start, s6 = start, s7 = start;
  for (; rows > 0; rows--, x += rowBytes) {
    const a = v128.load(x), b = v128.load(x, 16), c = v128.load(x, 32), d = v128.load(x, 48);
    s0 = by.joinPairs(s0, f64x2.promote_low_f32x4(a));
    s1 = by.joinPairs(s1, promoteHigh(a));
    s2 = by.joinPairs(s2, f64x2.promote_low_f32x4(b));
    s3 = by.joinPairs(s3, promoteHigh(b));
    s4 = by.joinPairs(s4, f64x2.promote_low_f32x4(c));
    s5 = by.joinPairs(s5, promoteHigh(c));
    s6 = by.joinPairs(s6, f64x2.promote_low_f32x4(d));
    s7 = by.joinPairs(s7, promoteHigh(d));
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
