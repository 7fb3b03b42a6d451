import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KernelArgumentError, type ConvolutionGeometry } from "../src/index.ts";
import { checkOperation } from "./check.ts";
import { accumulate, numbers, uniform } from "./reference.ts";
import { testRuntimes, upload } from "./runtimes.ts";

const runtimes = testRuntimes();

type Geometry = Required<ConvolutionGeometry>;

interface Sizes {
  readonly batch: number;
  readonly inSize: readonly [number, number];
  readonly kernel: readonly [number, number];
  readonly channels: readonly [number, number];
  readonly stride: readonly [number, number];
  readonly dilation: readonly [number, number];
  /** Zeros before and after, per axis. */
  readonly pad: readonly [number, number, number, number];
}

function geometryOf({ batch, inSize, kernel, channels, stride, dilation, pad }: Sizes): Geometry {
  const outSize = (axis: 0 | 1): number => {
    const reach = (kernel[axis] - 1) * dilation[axis] + 1;
    const room = inSize[axis] + pad[2 * axis]! + pad[2 * axis + 1]! - reach;
    return Math.max(1, Math.floor(room / stride[axis]) + 1);
  };
  return {
    batch,
    inHeight: inSize[0],
    inWidth: inSize[1],
    inChannels: channels[0],
    outHeight: outSize(0),
    outWidth: outSize(1),
    outChannels: channels[1],
    kernelHeight: kernel[0],
    kernelWidth: kernel[1],
    strideHeight: stride[0],
    strideWidth: stride[1],
    padTop: pad[0],
    padLeft: pad[2],
    dilationHeight: dilation[0],
    dilationWidth: dilation[1],
  };
}

/** Every product of an input, a filter and an output entry that the convolution is made of. */
function visitProducts(
  g: Geometry,
  visit: (input: number, filter: number, output: number) => void,
): void {
  for (let n = 0; n < g.batch; n++) {
    for (let i = 0; i < g.outHeight; i++) {
      for (let j = 0; j < g.outWidth; j++) {
        for (let s = 0; s < g.kernelHeight; s++) {
          const y = i * g.strideHeight + s * g.dilationHeight - g.padTop;
          if (y < 0 || y >= g.inHeight) continue;
          for (let t = 0; t < g.kernelWidth; t++) {
            const x = j * g.strideWidth + t * g.dilationWidth - g.padLeft;
            if (x < 0 || x >= g.inWidth) continue;
            const input = ((n * g.inHeight + y) * g.inWidth + x) * g.inChannels;
            const filter = (s * g.kernelWidth + t) * g.inChannels;
            const output = ((n * g.outHeight + i) * g.outWidth + j) * g.outChannels;
            for (let c = 0; c < g.inChannels; c++) {
              for (let o = 0; o < g.outChannels; o++) {
                visit(input + c, (filter + c) * g.outChannels + o, output + o);
              }
            }
          }
        }
      }
    }
  }
}

const inputLength = (g: Geometry): number => g.batch * g.inHeight * g.inWidth * g.inChannels;
const outputLength = (g: Geometry): number => g.batch * g.outHeight * g.outWidth * g.outChannels;
const filterLength = (g: Geometry): number =>
  g.kernelHeight * g.kernelWidth * g.inChannels * g.outChannels;

function check(sizes: Sizes): void {
  const g = geometryOf(sizes);
  const next = numbers(filterLength(g) + inputLength(g));
  const input = uniform(next, inputLength(g));
  const filter = uniform(next, filterLength(g));
  const upstream = uniform(next, outputLength(g));
  const context = JSON.stringify(sizes);

  const output = accumulate(outputLength(g), (add) =>
    visitProducts(g, (x, w, y) => add(y, input[x]! * filter[w]!)),
  );
  const depth = g.kernelHeight * g.kernelWidth * g.inChannels;
  checkOperation(runtimes, `convolution ${context}`, output, depth, (builder, runtime, out) =>
    builder.convolution({
      ...g,
      input: upload(runtime, input),
      filter: upload(runtime, filter),
      out,
    }),
  );

  const filterGradient = accumulate(filterLength(g), (add) =>
    visitProducts(g, (x, w, y) => add(w, input[x]! * upstream[y]!)),
  );
  const pixels = g.batch * g.outHeight * g.outWidth;
  checkOperation(
    runtimes,
    `by filter ${context}`,
    filterGradient,
    pixels,
    (builder, runtime, out) =>
      builder.convolutionFilterGradient({
        ...g,
        input: upload(runtime, input),
        upstream: upload(runtime, upstream),
        out,
      }),
  );

  if (g.strideHeight > 1 && g.dilationHeight > 1) return;
  if (g.strideWidth > 1 && g.dilationWidth > 1) return;
  const inputGradient = accumulate(inputLength(g), (add) =>
    visitProducts(g, (x, w, y) => add(x, upstream[y]! * filter[w]!)),
  );
  const reach = g.kernelHeight * g.kernelWidth * g.outChannels;
  checkOperation(runtimes, `by input ${context}`, inputGradient, reach, (builder, runtime, out) =>
    builder.convolutionInputGradient({
      ...g,
      upstream: upload(runtime, upstream),
      filter: upload(runtime, filter),
      out,
    }),
  );
}

const pair = (max: number): fc.Arbitrary<[number, number]> =>
  fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }));
const pads = fc.integer({ min: 0, max: 3 });
const shapes: fc.Arbitrary<Sizes> = fc.record({
  batch: fc.integer({ min: 1, max: 5 }),
  inSize: pair(14),
  kernel: pair(4),
  channels: pair(20),
  stride: pair(3),
  dilation: fc.oneof(
    { weight: 3, arbitrary: fc.constant([1, 1] as const) },
    { weight: 1, arbitrary: pair(2) },
  ),
  pad: fc.tuple(pads, pads, pads, pads),
});

const plain = { stride: [1, 1], dilation: [1, 1], pad: [1, 1, 1, 1] } as const;

describe("convolution and its gradients", () => {
  test("equal the float64 sums for any sizes, strides, dilations and paddings", () => {
    fc.assert(fc.property(shapes, check), { numRuns: 60 });
  });

  test.each<[string, Sizes]>([
    [
      "a stem",
      {
        batch: 2,
        inSize: [20, 22],
        kernel: [7, 7],
        channels: [3, 24],
        stride: [2, 2],
        dilation: [1, 1],
        pad: [3, 3, 3, 3],
      },
    ],
    [
      "few input and four-fold output channels",
      { ...plain, batch: 2, inSize: [9, 11], kernel: [3, 3], channels: [2, 12] },
    ],
    [
      "one input channel and outputs beyond a block",
      { ...plain, batch: 3, inSize: [3, 5], kernel: [2, 3], channels: [1, 392] },
    ],
    [
      "a stem whose last pixels are not read",
      {
        ...plain,
        batch: 3,
        inSize: [13, 18],
        kernel: [4, 5],
        channels: [4, 7],
        stride: [3, 2],
        pad: [1, 0, 2, 0],
      },
    ],
    [
      "a stem with more padding than image",
      {
        ...plain,
        batch: 2,
        inSize: [3, 2],
        kernel: [7, 7],
        channels: [3, 6],
        stride: [2, 2],
        pad: [3, 4, 5, 3],
      },
    ],
    [
      "asymmetric padding",
      {
        batch: 2,
        inSize: [9, 12],
        kernel: [3, 3],
        channels: [9, 8],
        stride: [2, 2],
        dilation: [1, 1],
        pad: [0, 1, 0, 1],
      },
    ],
    [
      "depth beyond a block",
      { ...plain, batch: 3, inSize: [2, 2], kernel: [3, 3], channels: [400, 24] },
    ],
    [
      "several blocks of taps",
      { ...plain, batch: 2, inSize: [5, 4], kernel: [3, 3], channels: [150, 70] },
    ],
    [
      "columns beyond a block",
      { ...plain, batch: 2, inSize: [3, 3], kernel: [1, 3], channels: [40, 300] },
    ],
    [
      "pixels beyond a block",
      { ...plain, batch: 3, inSize: [16, 13], kernel: [3, 3], channels: [10, 40] },
    ],
    ["narrow layers", { ...plain, batch: 2, inSize: [24, 24], kernel: [3, 3], channels: [8, 8] }],
    [
      "a kernel as large as the image",
      { ...plain, batch: 4, inSize: [3, 4], kernel: [5, 6], channels: [6, 7] },
    ],
    [
      "strides that skip taps",
      {
        ...plain,
        batch: 2,
        inSize: [7, 9],
        kernel: [1, 1],
        channels: [17, 9],
        stride: [2, 3],
        pad: [0, 0, 0, 0],
      },
    ],
    [
      "padding that outputs see alone",
      { ...plain, batch: 1, inSize: [2, 2], kernel: [2, 2], channels: [3, 5], pad: [3, 3, 3, 3] },
    ],
  ])("equal them for %s", (_name, sizes) => check(sizes));

  test("impossible sizes are refused", () => {
    const builder = runtimes[0]!.program();
    const out = runtimes[0]!.allocate(4);
    const g = geometryOf({ ...plain, batch: 1, inSize: [4, 4], kernel: [3, 3], channels: [1, 1] });
    const operands = { input: out, filter: out, upstream: out, out };
    expect(() => builder.convolution({ ...g, ...operands, strideWidth: 0 })).toThrow(
      KernelArgumentError,
    );
    const dilated = { ...g, strideHeight: 2, dilationHeight: 2 };
    expect(() => builder.convolutionInputGradient({ ...dilated, ...operands })).toThrow(
      /give 1 for one/,
    );
  });
});
