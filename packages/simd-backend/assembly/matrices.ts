import { multiplyAdd, storeTransposed, sumLanes } from "./simd";
import { addProductRow, addRow, clearRow, multiplyRows } from "./rows";
import { size, word } from "./tape";
import { shareEnd, shareStart } from "./team";

// Row-major matrices without padding: transposition, column scaling, sums along rows and columns.

/** Threads share the columns of a reduction over rows, a cache line at a time. */
const LINE: u32 = 16;

/** out (columns × rows) = inᵀ. */
export function transpose(record: usize): void {
  const rows = size(record, 0), columns = size(record, 1);
  const out = word(record, 4), from = word(record, 5);
  const inBytes = <usize>columns << 2, outBytes = <usize>rows << 2;
  const end = shareEnd(rows, 4);
  let row = shareStart(rows, 4);
  for (; row + 4 <= end; row += 4) {
    transposeFourRows(out + (<usize>row << 2), outBytes, from + row * inBytes, inBytes, columns);
  }
  for (; row < end; row++) {
    for (let column: u32 = 0; column < columns; column++) {
      store<f32>(out + column * outBytes + (<usize>row << 2), load<f32>(from + row * inBytes + (<usize>column << 2)));
    }
  }
}

function transposeFourRows(out: usize, outBytes: usize, from: usize, inBytes: usize, columns: u32): void {
  let row0 = from, row1 = from + inBytes, row2 = row1 + inBytes, row3 = row2 + inBytes;
  for (; columns >= 4; columns -= 4) {
    storeTransposed(out, outBytes, v128.load(row0), v128.load(row1), v128.load(row2), v128.load(row3));
    out += 4 * outBytes;
    row0 += 16; row1 += 16; row2 += 16; row3 += 16;
  }
  for (; columns > 0; columns--) {
    store<f32>(out, load<f32>(row0));
    store<f32>(out, load<f32>(row1), 4);
    store<f32>(out, load<f32>(row2), 8);
    store<f32>(out, load<f32>(row3), 12);
    out += outBytes;
    row0 += 4; row1 += 4; row2 += 4; row3 += 4;
  }
}

/** out[r, c] = in[r, c] · scale[c]; out may be in. */
export function scaleColumns(record: usize): void {
  const rows = size(record, 0), width = size(record, 1);
  const out = word(record, 4), from = word(record, 5), scale = word(record, 6);
  const rowBytes = <usize>width << 2;
  const end = shareEnd(rows, 1);
  for (let row = shareStart(rows, 1); row < end; row++) {
    multiplyRows(out + row * rowBytes, from + row * rowBytes, scale, width);
  }
}

/** out[c] = Σ_r a[r, c] · b[r, c]. */
export function columnDot(record: usize): void {
  sumColumnProducts(record, word(record, 5), word(record, 6));
}

/** out[c] = Σ_r a[r, c]². */
export function columnSquaredNorms(record: usize): void {
  sumColumnProducts(record, word(record, 5), word(record, 5));
}

function sumColumnProducts(record: usize, a: usize, b: usize): void {
  const rows = size(record, 0), width = size(record, 1), rowBytes = <usize>width << 2;
  const first = shareStart(width, LINE), count = shareEnd(width, LINE) - first, offset = <usize>first << 2;
  const out = word(record, 4) + offset;
  clearRow(out, count);
  for (let row: u32 = 0; row < rows; row++) {
    addProductRow(out, a + row * rowBytes + offset, b + row * rowBytes + offset, count);
  }
}

/** out[c] = Σ_r a[r, c]. */
export function columnSum(record: usize): void {
  const rows = size(record, 0), width = size(record, 1), rowBytes = <usize>width << 2;
  const first = shareStart(width, LINE), count = shareEnd(width, LINE) - first, offset = <usize>first << 2;
  const out = word(record, 4) + offset, a = word(record, 5) + offset;
  clearRow(out, count);
  for (let row: u32 = 0; row < rows; row++) addRow(out, a + row * rowBytes, count);
}

/** out[r] = Σ_c a[r, c]. */
export function rowSum(record: usize): void {
  const rows = size(record, 0), width = size(record, 1), rowBytes = <usize>width << 2;
  const out = word(record, 4), a = word(record, 5);
  const end = shareEnd(rows, LINE);
  for (let row = shareStart(rows, LINE); row < end; row++) {
    store<f32>(out + (<usize>row << 2), sumRow(a + row * rowBytes, width));
  }
}

function sumRow(a: usize, width: u32): f32 {
  let low = f32x4.splat(0), high = f32x4.splat(0);
  for (; width >= 8; width -= 8, a += 32) {
    low = f32x4.add(low, v128.load(a));
    high = f32x4.add(high, v128.load(a, 16));
  }
  let total = sumLanes(f32x4.add(low, high));
  for (; width > 0; width--, a += 4) total += load<f32>(a);
  return total;
}

/** out[r] = Σ_c a[r, c]². */
export function rowSquaredNorms(record: usize): void {
  const rows = size(record, 0), width = size(record, 1), rowBytes = <usize>width << 2;
  const out = word(record, 4), a = word(record, 5);
  const end = shareEnd(rows, LINE);
  for (let row = shareStart(rows, LINE); row < end; row++) {
    store<f32>(out + (<usize>row << 2), squareRow(a + row * rowBytes, width));
  }
}

function squareRow(a: usize, width: u32): f32 {
  let low = f32x4.splat(0), high = f32x4.splat(0);
  for (; width >= 8; width -= 8, a += 32) {
    const x = v128.load(a), y = v128.load(a, 16);
    low = multiplyAdd(x, x, low);
    high = multiplyAdd(y, y, high);
  }
  let total = sumLanes(f32x4.add(low, high));
  for (; width > 0; width--, a += 4) total += load<f32>(a) * load<f32>(a);
  return total;
}
