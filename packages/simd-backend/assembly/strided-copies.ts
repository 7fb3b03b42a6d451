import { copyRow } from "./rows";
import { storeTransposed } from "./simd";
import { size, word } from "./tape";
import { members, shareEnd, shareStart } from "./team";

// Copies between arrays with different strides: slices, concatenation, padding and permutations of axes.

/** Rows shorter than this are copied by a loop: a bulk copy costs a call. */
const LONG_ROW: u32 = 64;
/** Rows of a tile that is transposed at once: a cache line of the output. */
const LINE: u32 = 16;

/** Offsets of one position of the three outer axes, in bytes. */
let fromOffset: usize = 0;
let toOffset: usize = 0;

function locate(record: usize, position: u32): void {
  const second = word(record, 7), third = word(record, 8);
  const k = position % third, rest = position / third;
  const j = rest % second, i = rest / second;
  fromOffset = <usize>(i * word(record, 9) + j * word(record, 10) + k * word(record, 11)) << 2;
  toOffset = <usize>(i * word(record, 12) + j * word(record, 13) + k * word(record, 14)) << 2;
}

/** out[i, j, k, r, c] = in[i, j, k, r, c], columns adjacent on both sides. */
export function stridedCopy(record: usize): void {
  const outer = size(record, 0), rows = size(record, 1), width = size(record, 2);
  const out = word(record, 5), from = word(record, 6);
  const fromRow = <usize>word(record, 15) << 2, toRow = <usize>word(record, 16) << 2;
  const lines = outer * rows, byRows = lines >= members;
  const firstLine = byRows ? shareStart(lines, 1) : 0, endLine = byRows ? shareEnd(lines, 1) : lines;
  const first = byRows ? 0 : shareStart(width, LINE), count = (byRows ? width : shareEnd(width, LINE)) - first;
  let line = firstLine;
  while (line < endLine) {
    const position = line / rows, row = line - position * rows;
    const end = min<u32>(rows, row + endLine - line);
    locate(record, position);
    copyRows(
      out + toOffset + row * toRow + (<usize>first << 2), toRow,
      from + fromOffset + row * fromRow + (<usize>first << 2), fromRow, end - row, count,
    );
    line += end - row;
  }
}

function copyRows(out: usize, toRow: usize, from: usize, fromRow: usize, rows: u32, width: u32): void {
  for (; rows > 0; rows--) {
    if (width < LONG_ROW) copyRow(out, from, width);
    else memory.copy(out, from, <usize>width << 2);
    out += toRow;
    from += fromRow;
  }
}

/** out[i, j, k, c, r] = in[i, j, k, r, c]: columns are adjacent in `in`, rows in `out`. */
export function stridedTranspose(record: usize): void {
  const outer = size(record, 0), rows = size(record, 1), columns = size(record, 2);
  const out = word(record, 5), from = word(record, 6);
  const fromRow = <usize>word(record, 15) << 2, toColumn = <usize>word(record, 16) << 2;
  const blocks = (rows + LINE - 1) / LINE, end = shareEnd(outer * blocks, 1);
  for (let item = shareStart(outer * blocks, 1); item < end; item++) {
    const position = item / blocks, row = (item - position * blocks) * LINE;
    locate(record, position);
    transposeRows(
      out + toOffset + (<usize>row << 2), toColumn, from + fromOffset + row * fromRow, fromRow,
      min<u32>(LINE, rows - row), columns,
    );
  }
}

function transposeRows(out: usize, toColumn: usize, from: usize, fromRow: usize, rows: u32, columns: u32): void {
  for (; columns >= 4; columns -= 4) {
    let source = from, target = out, row: u32 = 0;
    for (; row + 4 <= rows; row += 4) {
      const second = source + fromRow, third = second + fromRow, fourth = third + fromRow;
      storeTransposed(
        target, toColumn, v128.load(source), v128.load(second), v128.load(third), v128.load(fourth),
      );
      source = fourth + fromRow;
      target += 16;
    }
    for (; row < rows; row++, source += fromRow, target += 4) {
      for (let column: usize = 0; column < 4; column++) {
        store<f32>(target + column * toColumn, load<f32>(source + (column << 2)));
      }
    }
    from += 16;
    out += 4 * toColumn;
  }
  for (; columns > 0; columns--, from += 4, out += toColumn) {
    for (let row: usize = 0; row < rows; row++) store<f32>(out + (row << 2), load<f32>(from + row * fromRow));
  }
}
