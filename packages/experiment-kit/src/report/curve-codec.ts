import type { Curve } from "./report-data.ts";

/**
 * Curves as bytes, about 1.7 a point: a value keeps its sign, exponent and 16 bits of its mantissa
 * (relative error below 8e-6), and of epochs and values only the differences are stored, as numbers of
 * variable length. Infinite values become NaN.
 */
export function encodeCurves(curves: readonly Curve[]): Uint8Array {
  const bytes: number[] = [];
  putNumber(bytes, curves.length);
  let axis: ArrayLike<number> = [];
  for (const { epochs, values } of curves) {
    putNumber(bytes, values.length);
    const isSameAxis = sameNumbers(epochs, axis);
    bytes.push(isSameAxis ? 1 : 0);
    if (!isSameAxis) putDifferences(bytes, epochs, (epoch) => epoch);
    putDifferences(bytes, values, shortForm);
    axis = epochs;
  }
  return Uint8Array.from(bytes);
}

/**
 * The inverse of `encodeCurves`.
 *
 * @throws RangeError if the bytes end early.
 */
export function decodeCurves(bytes: Uint8Array): readonly Curve[] {
  const source = { bytes, position: 0 };
  const count = takeNumber(source);
  const curves: Curve[] = [];
  let axis = new Float64Array(0);
  for (let c = 0; c < count; c++) {
    const length = takeNumber(source);
    if (length > bytes.length) throw new RangeError("the curves are damaged");
    if (takeNumber(source) === 0) axis = takeDifferences(source, length, (epoch) => epoch);
    curves.push({ epochs: axis, values: takeDifferences(source, length, fromShortForm) });
  }
  return curves;
}

interface Source {
  readonly bytes: Uint8Array;
  position: number;
}

const scratch = new DataView(new ArrayBuffer(8));
const NOT_A_NUMBER = 0x7ff80000 >>> 4;

/** The upper 28 bits of a double, rounded. */
function shortForm(value: number): number {
  if (!Number.isFinite(value)) return NOT_A_NUMBER;
  scratch.setFloat64(0, value);
  const short = (scratch.getUint32(0) + 8) / 16;
  const isOverflow = (Math.floor(short) & 0x7ff0000) === 0x7ff0000;
  return isOverflow ? Math.floor(short) - 1 : Math.floor(short);
}

function fromShortForm(short: number): number {
  scratch.setUint32(0, short * 16);
  scratch.setUint32(4, 0);
  return scratch.getFloat64(0);
}

function putDifferences(
  bytes: number[],
  numbers: ArrayLike<number>,
  toInteger: (value: number) => number,
): void {
  let before = 0;
  for (let i = 0; i < numbers.length; i++) {
    const integer = toInteger(numbers[i]!);
    const difference = integer - before;
    putNumber(bytes, difference >= 0 ? 2 * difference : -2 * difference - 1);
    before = integer;
  }
}

function takeDifferences(
  source: Source,
  length: number,
  fromInteger: (integer: number) => number,
): Float64Array<ArrayBuffer> {
  const numbers = new Float64Array(length);
  let integer = 0;
  for (let i = 0; i < length; i++) {
    const code = takeNumber(source);
    integer += code % 2 === 0 ? code / 2 : -(code + 1) / 2;
    numbers[i] = fromInteger(integer);
  }
  return numbers;
}

/** Seven bits a byte, the lowest first; the top bit says that more follow. */
function putNumber(bytes: number[], number: number): void {
  let rest = number;
  while (rest >= 128) {
    bytes.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
}

function takeNumber(source: Source): number {
  let number = 0;
  for (let scale = 1; ; scale *= 128) {
    const byte = source.bytes[source.position++];
    if (byte === undefined) throw new RangeError("the curves end early");
    number += (byte % 128) * scale;
    if (byte < 128) return number;
  }
}

function sameNumbers(a: ArrayLike<number>, b: ArrayLike<number>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
