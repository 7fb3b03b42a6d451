import { damagedFile } from "./error.ts";
import { npyHeader, splitNpy } from "./npy.ts";

/**
 * The bytes of an npy file with a table of text, as numpy writes an array of strings: fixed width, 4 bytes
 * for each character, little endian.
 * @throws RangeError if the rows have different lengths
 */
export function encodeNpyText(rows: readonly (readonly string[])[]): Uint8Array {
  const columns = rows[0]?.length ?? 0;
  if (rows.some((row) => row.length !== columns))
    throw new RangeError("npy: rows of unequal length");
  const cells = rows.flatMap((row) => row.map((text) => [...text].map((c) => c.codePointAt(0)!)));
  const width = cells.reduce((widest, cell) => Math.max(widest, cell.length), 1);
  const points = new Uint32Array(cells.length * width);
  cells.forEach((cell, i) => points.set(cell, i * width));
  const header = npyHeader(`<U${width}`, [rows.length, columns]);
  const bytes = new Uint8Array(header.length + points.byteLength);
  bytes.set(header);
  bytes.set(new Uint8Array(points.buffer), header.length);
  return bytes;
}

/** The table of text in an npy file, of any fixed width. Throws ArrayFileError (exit code 1). */
export function decodeNpyText(bytes: Uint8Array, source: string): string[][] {
  const damaged = damagedFile(source, "the file is damaged or no table of text: make it again");
  const refuse = (problem: string) => damaged("table", problem);
  const { descr, shape, fortranOrder, dataStart } = splitNpy(bytes, refuse);
  const width = Number(/^<U([1-9]\d{0,5})$/.exec(descr)?.[1]);
  if (Number.isNaN(width) || shape.length !== 2 || fortranOrder)
    throw refuse("is not a table of text");
  const [rows, columns] = shape as [number, number];
  const available = bytes.length - dataStart;
  if (rows * columns * width * 4 !== available) {
    throw refuse(`of ${rows} × ${columns} texts does not fit its ${available} bytes`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset + dataStart, available);
  const cell = (index: number) => {
    const characters: string[] = [];
    for (let i = 0; i < width; i++) {
      const point = view.getUint32(4 * (index * width + i), true);
      if (point > 0x10ffff) throw refuse("holds an invalid character");
      characters.push(String.fromCodePoint(point));
    }
    return characters.join("").replace(/\0+$/, "");
  };
  return Array.from({ length: rows }, (_, row) =>
    Array.from({ length: columns }, (_unused, column) => cell(row * columns + column)),
  );
}
