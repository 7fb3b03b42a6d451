import { crc32 } from "@implicit-rank/array-files";
import { PNG } from "pngjs";
import { DatasetError } from "../error.ts";
import type { ImageSize } from "./resample.ts";

/** An 8-bit gray image, row-major. */
export interface GrayImage {
  readonly size: ImageSize;
  readonly pixels: Uint8Array;
}

const SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Larger images are refused before anything is unpacked. */
const MAX_PIXELS = 2 ** 26;
const TRAILER = [0, 0, 0, 0, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82];

/** The bytes of an 8-bit gray PNG. */
export function encodeGrayPng({ size: [height, width], pixels }: GrayImage): Uint8Array {
  const options = { colorType: 0, inputColorType: 0, bitDepth: 8, inputHasAlpha: false } as const;
  const png = new PNG({ width, height, ...options });
  png.data = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  // Mostly black: without row filters the fast level packs as well as the slow ones.
  return asBytes(PNG.sync.write(png, { ...options, filterType: 0, deflateLevel: 3 }));
}

/** The bytes of an 8-bit RGB PNG; `pixels` are height × width × 3. */
export function encodeColorPng({ size: [height, width], pixels }: GrayImage): Uint8Array {
  const options = { colorType: 2, inputColorType: 2, bitDepth: 8, inputHasAlpha: false } as const;
  const png = new PNG({ width, height, ...options });
  png.data = Buffer.from(pixels.buffer, pixels.byteOffset, pixels.byteLength);
  return asBytes(PNG.sync.write(png, options));
}

/** Without Buffer's own methods, which differ (its `slice` shares memory). */
function asBytes(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.byteLength);
}

/**
 * The gray image in a PNG; of color images the luma (299 R + 587 G + 114 B) / 1000, as PIL converts.
 * @throws DatasetError (exit code 1) if the bytes are no undamaged PNG of reasonable size
 */
export function decodeGrayPng(bytes: Uint8Array, source: string): GrayImage {
  const { size, pixels } = decodePng(bytes, source);
  const gray = new Uint8Array(size[0] * size[1]);
  for (let i = 0; i < gray.length; i++) {
    const [r, g, b] = [pixels[3 * i]!, pixels[3 * i + 1]!, pixels[3 * i + 2]!];
    gray[i] = r === g && g === b ? r : Math.floor((299 * r + 587 * g + 114 * b) / 1000);
  }
  return { size, pixels: gray };
}

/** The image in a PNG as height × width × 3 bytes; transparency is ignored. Throws as `decodeGrayPng`. */
export function decodeColorPng(bytes: Uint8Array, source: string): GrayImage {
  return decodePng(bytes, source);
}

function decodePng(bytes: Uint8Array, source: string): GrayImage {
  const damaged = (problem: string) =>
    new DatasetError(`${source}: image: ${problem}; make or copy the file again`, 1);
  if (!startsWith(bytes, SIGNATURE) || bytes.length < 24) throw damaged("is no PNG file");
  if (!isWholePng(bytes)) throw damaged("is truncated");
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const [width, height] = [view.getUint32(16), view.getUint32(20)];
  if (width * height > MAX_PIXELS)
    throw damaged(`has ${width} × ${height} pixels, too many to read`);
  if (!areChunksWhole(bytes)) throw damaged("is a damaged PNG file");
  try {
    const png = PNG.sync.read(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));
    const pixels = new Uint8Array(png.width * png.height * 3);
    for (let i = 0, j = 0; i < pixels.length; i += 3, j += 4) {
      pixels[i] = png.data[j]!;
      pixels[i + 1] = png.data[j + 1]!;
      pixels[i + 2] = png.data[j + 2]!;
    }
    return { size: [png.height, png.width], pixels };
  } catch {
    throw damaged("is a damaged PNG file");
  }
}

/**
 * Whether every chunk fits its checksum, one after another to the end: length, name, data, CRC of name and
 * data. (pngjs passes over chunks whose name it does not know without a look at theirs.)
 */
function areChunksWhole(bytes: Uint8Array): boolean {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = SIGNATURE.length;
  while (at + 12 <= bytes.length) {
    const end = at + 8 + view.getUint32(at);
    if (end + 4 > bytes.length) return false;
    if (crc32(bytes.subarray(at + 4, end)) !== view.getUint32(end)) return false;
    at = end + 4;
  }
  return at === bytes.length;
}

/** Whether the bytes end as a PNG does; a file that was cut off does not. */
export function isWholePng(bytes: Uint8Array): boolean {
  const end = bytes.subarray(Math.max(0, bytes.length - TRAILER.length));
  return startsWith(end, TRAILER);
}

function startsWith(bytes: Uint8Array, expected: readonly number[]): boolean {
  return expected.every((byte, i) => bytes[i] === byte);
}
