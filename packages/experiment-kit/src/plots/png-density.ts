import { crcTable, checksum } from "../crc.ts";

const SIGNATURE_AND_HEADER_BYTES = 8 + 25;
const METERS_PER_INCH = 0.0254;
const table = crcTable(0xedb88320);

/**
 * Notes in a PNG how many of its pixels make an inch, so that it is placed in its true size
 * (PNG specification, chunk `pHYs`).
 *
 * @param png without such a note.
 */
export function withDensity(png: Uint8Array, dotsPerInch: number): Uint8Array {
  const chunk = new Uint8Array(21);
  const view = new DataView(chunk.buffer);
  const perMeter = Math.round(dotsPerInch / METERS_PER_INCH);
  view.setUint32(0, 9);
  chunk.set(new TextEncoder().encode("pHYs"), 4);
  view.setUint32(8, perMeter);
  view.setUint32(12, perMeter);
  view.setUint8(16, 1);
  view.setUint32(17, checksum(table, chunk.subarray(4, 17)));
  const result = new Uint8Array(png.length + chunk.length);
  result.set(png.subarray(0, SIGNATURE_AND_HEADER_BYTES));
  result.set(chunk, SIGNATURE_AND_HEADER_BYTES);
  result.set(png.subarray(SIGNATURE_AND_HEADER_BYTES), SIGNATURE_AND_HEADER_BYTES + chunk.length);
  return result;
}
