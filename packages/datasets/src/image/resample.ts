/*
 * Separable resampling with antialiasing as PIL does it: the filter is stretched by the reduction, weights
 * are normalized over the pixels inside the image, rows first and then columns.
 */
export interface ResampleFilter {
  readonly support: number;
  readonly weight: (x: number) => number;
}

/** Bilinear interpolation: a triangle of width 2. */
export const TRIANGLE: ResampleFilter = {
  support: 1,
  weight: (x) => Math.max(0, 1 - Math.abs(x)),
};

/** Lanczos with three lobes: sinc(x) sinc(x / 3). */
export const LANCZOS: ResampleFilter = {
  support: 3,
  weight: (x) => (Math.abs(x) < 3 ? sinc(x) * sinc(x / 3) : 0),
};

function sinc(x: number): number {
  return x === 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
}

/** For each output pixel the first input pixel that counts and the weights from there on. */
interface AxisWeights {
  readonly first: Int32Array;
  readonly weights: readonly Float64Array[];
}

function axisWeights(from: number, to: number, filter: ResampleFilter): AxisWeights {
  const scale = from / to;
  const stretch = Math.max(scale, 1);
  const support = filter.support * stretch;
  const first = new Int32Array(to);
  const weights = Array.from({ length: to }, (_, i) => {
    const center = (i + 0.5) * scale;
    first[i] = Math.max(0, Math.trunc(center - support + 0.5));
    const end = Math.min(from, Math.trunc(center + support + 0.5));
    const raw = Float64Array.from({ length: end - first[i]! }, (_unused, k) =>
      filter.weight((first[i]! + k - center + 0.5) / stretch),
    );
    const sum = raw.reduce((total, weight) => total + weight, 0);
    return raw.map((weight) => weight / sum);
  });
  return { first, weights };
}

/** The size of an image: height, width. */
export type ImageSize = readonly [height: number, width: number];

/** Resampling of one input size to one output size, with the weights computed once. */
export interface Resampler {
  /** Real-valued pixels; results may lie outside the range of the input. */
  floats(pixels: Float32Array): Float32Array;
  /** Bytes: each pass rounds to the nearest byte (halves up) and clips to 0 … 255. */
  bytes(pixels: Uint8Array): Uint8Array;
}

/** Weights of byte images are integers with this many fractional bits. */
const FRACTION = 2 ** 22;

export function createResampler(from: ImageSize, to: ImageSize, filter: ResampleFilter): Resampler {
  const columns = axisWeights(from[1], to[1], filter);
  const rows = axisWeights(from[0], to[0], filter);
  const byteColumns = inFractions(columns);
  const byteRows = inFractions(rows);
  const toByte = (sum: number) =>
    Math.min(255, Math.max(0, Math.floor((sum + FRACTION / 2) / FRACTION)));
  return {
    floats(pixels) {
      const narrow = new Float32Array(from[0] * to[1]);
      passRows(pixels, narrow, from[1], to[1], columns, (sum) => sum);
      const out = new Float32Array(to[0] * to[1]);
      passColumns(narrow, out, to[1], rows, (sum) => sum);
      return out;
    },
    bytes(pixels) {
      const narrow = new Uint8Array(from[0] * to[1]);
      passRows(pixels, narrow, from[1], to[1], byteColumns, toByte);
      const out = new Uint8Array(to[0] * to[1]);
      passColumns(narrow, out, to[1], byteRows, toByte);
      return out;
    },
  };
}

function inFractions(axis: AxisWeights): AxisWeights {
  const rounded = (weight: number) => Math.trunc(weight * FRACTION + (weight < 0 ? -0.5 : 0.5));
  return { first: axis.first, weights: axis.weights.map((weights) => weights.map(rounded)) };
}

type Pixels = Float32Array | Uint8Array;

function passRows(
  input: Pixels,
  output: Pixels,
  inputWidth: number,
  outputWidth: number,
  axis: AxisWeights,
  finish: (sum: number) => number,
): void {
  const height = output.length / outputWidth;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < outputWidth; x++) {
      const weights = axis.weights[x]!;
      const start = y * inputWidth + axis.first[x]!;
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += input[start + k]! * weights[k]!;
      output[y * outputWidth + x] = finish(sum);
    }
  }
}

function passColumns(
  input: Pixels,
  output: Pixels,
  width: number,
  axis: AxisWeights,
  finish: (sum: number) => number,
): void {
  for (let y = 0; y < axis.weights.length; y++) {
    const weights = axis.weights[y]!;
    for (let x = 0; x < width; x++) {
      const start = axis.first[y]! * width + x;
      let sum = 0;
      for (let k = 0; k < weights.length; k++) sum += input[start + k * width]! * weights[k]!;
      output[y * width + x] = finish(sum);
    }
  }
}
