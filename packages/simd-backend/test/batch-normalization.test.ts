import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { normalizationWorkspaceBytes, type KernelRuntime } from "../src/index.ts";
import { seeds } from "./check.ts";
import { numbers } from "./reference.ts";
import { nameOf, testRuntimes, upload } from "./runtimes.ts";

const runtimes = testRuntimes();

interface Case {
  readonly rows: number;
  readonly channels: number;
  readonly epsilon: number;
}

/** One channel in float64: the definitions, without any formula of the kernels'. */
interface Channel {
  readonly x: Float64Array;
  readonly scale: number;
  readonly epsilon: number;
}

const sumOf = (values: Float64Array): number => values.reduce((sum, value) => sum + value, 0);
const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0);

function momentsOf(x: Float64Array): { mean: number; variance: number } {
  const mean = sumOf(x) / x.length;
  return { mean, variance: sumOf(x.map((value) => (value - mean) ** 2)) / x.length };
}

function normalized({ x, epsilon }: Channel): Float64Array {
  const { mean, variance } = momentsOf(x);
  return x.map((value) => (value - mean) / Math.sqrt(variance + epsilon));
}

/** Gradient of Σ dy · y, y = scale · x̂ + offset. */
function gradientOf(
  channel: Channel,
  dy: Float64Array,
): { dx: Float64Array; dScale: number; dOffset: number } {
  const hat = normalized(channel);
  const { variance } = momentsOf(channel.x);
  const rows = dy.length;
  const [sum, product] = [sumOf(dy), dot(dy, hat)];
  const factor = channel.scale / Math.sqrt(variance + channel.epsilon);
  const dx = dy.map((value, i) => factor * (value - sum / rows - (hat[i]! * product) / rows));
  return { dx, dScale: product, dOffset: sum };
}

/** (f(v + h·e_i) - f(v - h·e_i)) / 2h for every i. */
function finiteDifferences(v: Float64Array, f: (v: Float64Array) => number): Float64Array {
  const h = 1e-5;
  return v.map((value, i) => {
    const up = f(v.with(i, value + h));
    return (up - f(v.with(i, value - h))) / (2 * h);
  });
}

function columnOf(values: Float32Array, channel: number, channels: number): Float64Array {
  return Float64Array.from(
    { length: values.length / channels },
    (_, r) => values[r * channels + channel]!,
  );
}

const largest = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** Relative to the largest entry, or to the size of the terms where these may cancel. */
function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  context: string,
  terms = 1e-6,
): void {
  const bound = tolerance * Math.max(terms, largest(expected));
  for (let i = 0; i < expected.length; i++) {
    if (!(Math.abs(actual[i]! - expected[i]!) <= bound)) {
      expect.fail(`${context}: entry ${i} is ${actual[i]}, not ${expected[i]} ± ${bound}`);
    }
  }
}

/**
 * What the roundings of mean, variance and coefficients to float32 (2^-24) amount to: x̂ is off by some units times
 * 1 + |mean| / deviation.
 */
function toleranceOf({ x, epsilon }: Channel): number {
  const { mean, variance } = momentsOf(x);
  return 4e-6 * (1 + Math.abs(mean) / Math.sqrt(variance + epsilon));
}

interface Inputs {
  readonly x: Float32Array;
  readonly dy: Float32Array;
  readonly ddx: Float32Array;
  readonly scale: Float32Array;
  readonly offset: Float32Array;
  readonly ddScale: Float32Array;
  readonly ddOffset: Float32Array;
}

function inputsOf({ rows, channels }: Case, seed: number): Inputs {
  const next = numbers(seed);
  const vector = (shift: number, spread: number, length: number) =>
    Float32Array.from({ length }, () => shift + spread * next());
  return {
    x: vector(next() * 3, 1 + next() / 2, rows * channels),
    dy: vector(0.3, 1, rows * channels),
    ddx: vector(-0.2, 1, rows * channels),
    scale: vector(1, 0.5, channels),
    offset: vector(0, 1, channels),
    ddScale: vector(0, 1, channels),
    ddOffset: vector(0, 1, channels),
  };
}

interface Outputs {
  readonly y: Float32Array;
  readonly mean: Float32Array;
  readonly variance: Float32Array;
  readonly dx: Float32Array;
  readonly dScale: Float32Array;
  readonly dOffset: Float32Array;
  readonly dDy: Float32Array;
  readonly dX: Float32Array;
  readonly secondDScale: Float32Array;
  readonly inference: Float32Array;
}

function run(runtime: KernelRuntime, { rows, channels, epsilon }: Case, inputs: Inputs): Outputs {
  const mark = runtime.mark();
  const count = rows * channels;
  const room = (length: number) => runtime.allocate(4 * length);
  const [x, dy, ddx] = [inputs.x, inputs.dy, inputs.ddx].map((values) =>
    upload(runtime, values),
  ) as [number, number, number];
  const scale = upload(runtime, inputs.scale);
  const offset = upload(runtime, inputs.offset);
  const [y, dx, dDy, dX, inference] = [count, count, count, count, count].map(room) as [
    number,
    number,
    number,
    number,
    number,
  ];
  const [mean, variance, dScale, dOffset, secondDScale] = Array.from({ length: 5 }, () =>
    room(channels),
  ) as [number, number, number, number, number];
  const workspace = runtime.allocate(normalizationWorkspaceBytes(rows, channels, 5));
  const builder = runtime.program();
  const common = { rows, channels, epsilon, x, scale, mean, variance, workspace };
  builder.batchNormalizationTraining({ ...common, out: y, offset });
  builder.batchNormalizationGradient({ ...common, dx, dScale, dOffset, dy });
  builder.batchNormalizationSecondGradient({
    ...common,
    dDy,
    dX,
    dScale: secondDScale,
    ddx,
    ddScale: upload(runtime, inputs.ddScale),
    ddOffset: upload(runtime, inputs.ddOffset),
    dy,
  });
  builder.batchNormalization({
    rows,
    channels,
    epsilon,
    out: inference,
    x,
    mean,
    variance,
    scale,
    offset,
  });
  builder.compile().run();
  const read = (pointer: number, length: number) => runtime.floats(pointer, length).slice();
  const outputs = {
    y: read(y, count),
    mean: read(mean, channels),
    variance: read(variance, channels),
    dx: read(dx, count),
    dScale: read(dScale, channels),
    dOffset: read(dOffset, channels),
    dDy: read(dDy, count),
    dX: read(dX, count),
    secondDScale: read(secondDScale, channels),
    inference: read(inference, count),
  };
  runtime.release(mark);
  return outputs;
}

/** Runs on every runtime; the bits must not depend on the thread count. */
function runEverywhere(
  sizes: Case,
  inputs: Inputs,
  check: (outputs: Outputs, context: string) => void,
): void {
  const bits = new Map<string, Buffer>();
  for (const runtime of runtimes) {
    const outputs = run(runtime, sizes, inputs);
    check(outputs, `${JSON.stringify(sizes)}, ${nameOf(runtime)}`);
    const own = Buffer.concat(Object.values(outputs).map(({ buffer }) => Buffer.from(buffer)));
    expect(own.equals(bits.get(runtime.variant) ?? own), `${nameOf(runtime)}: other bits`).toBe(
      true,
    );
    bits.set(runtime.variant, own);
  }
}

const epsilons = fc.constantFrom(1e-5, 1e-3, 0.5);
const smallCases = fc.record({
  rows: fc.integer({ min: 4, max: 12 }),
  channels: fc.integer({ min: 1, max: 11 }),
  epsilon: epsilons,
});
const largeCases = fc.record({
  rows: fc.integer({ min: 60, max: 1500 }),
  channels: fc.constantFrom(1, 3, 5, 16, 64, 70),
  epsilon: epsilons,
});

describe("batch normalization", () => {
  test("normalizes with the statistics of its rows, and with given ones alike", () => {
    fc.assert(
      fc.property(fc.oneof(smallCases, largeCases), seeds, (sizes, seed) => {
        const inputs = inputsOf(sizes, seed);
        runEverywhere(sizes, inputs, (outputs, context) => {
          for (let c = 0; c < sizes.channels; c++) {
            const x = columnOf(inputs.x, c, sizes.channels);
            const { mean, variance } = momentsOf(x);
            expectClose([outputs.mean[c]!], [mean], 2 ** -22, context);
            expectClose([outputs.variance[c]!], [variance], 2 ** -22, context);
            const hat = normalized({ x, scale: 1, epsilon: sizes.epsilon });
            const y = hat.map((value) => value * inputs.scale[c]! + inputs.offset[c]!);
            expectClose(columnOf(outputs.y, c, sizes.channels), y, 2e-6, context);
            expectClose(columnOf(outputs.inference, c, sizes.channels), y, 2e-6, context);
          }
        });
      }),
      { numRuns: 8 },
    );
  });

  test("the gradient agrees with finite differences of the definition", () => {
    fc.assert(
      fc.property(smallCases, seeds, (sizes, seed) => {
        const inputs = inputsOf(sizes, seed);
        runEverywhere(sizes, inputs, (outputs, context) => {
          for (let c = 0; c < sizes.channels; c++) {
            const [x, dy] = [inputs.x, inputs.dy].map((values) =>
              columnOf(values, c, sizes.channels),
            ) as [Float64Array, Float64Array];
            const scale = inputs.scale[c]!;
            const channel = { x, scale, epsilon: sizes.epsilon };
            const dx = finiteDifferences(
              x,
              (moved) => scale * dot(dy, normalized({ ...channel, x: moved })),
            );
            const hat = normalized(channel);
            const tolerance = toleranceOf(channel);
            const factor = scale / Math.sqrt(momentsOf(x).variance + sizes.epsilon);
            expectClose(
              columnOf(outputs.dx, c, sizes.channels),
              dx,
              tolerance,
              context,
              factor * largest(dy),
            );
            const terms = dot(dy.map(Math.abs), hat.map(Math.abs));
            expectClose([outputs.dScale[c]!], [dot(dy, hat)], tolerance, context, terms);
            expectClose([outputs.dOffset[c]!], [sumOf(dy)], 2 ** -22, context);
          }
        });
      }),
      { numRuns: 12 },
    );
  });

  test("the second gradient agrees with finite differences of the first", () => {
    fc.assert(
      fc.property(smallCases, seeds, (sizes, seed) => {
        const inputs = inputsOf(sizes, seed);
        runEverywhere(sizes, inputs, (outputs, context) => {
          for (let c = 0; c < sizes.channels; c++) {
            const [x, dy, u] = [inputs.x, inputs.dy, inputs.ddx].map((values) =>
              columnOf(values, c, sizes.channels),
            ) as [Float64Array, Float64Array, Float64Array];
            const channel = { x, scale: inputs.scale[c]!, epsilon: sizes.epsilon };
            const objective = (moved: Channel, upstream: Float64Array): number => {
              const { dx, dScale, dOffset } = gradientOf(moved, upstream);
              return dot(u, dx) + inputs.ddScale[c]! * dScale + inputs.ddOffset[c]! * dOffset;
            };
            const dDy = finiteDifferences(dy, (moved) => objective(channel, moved));
            const dX = finiteDifferences(x, (moved) => objective({ ...channel, x: moved }, dy));
            const dScale = finiteDifferences(Float64Array.of(channel.scale), ([moved]) =>
              objective({ ...channel, scale: moved! }, dy),
            );
            const deviation = Math.sqrt(momentsOf(x).variance + sizes.epsilon);
            const tolerance = toleranceOf(channel);
            const [g, factor] = [largest(dy), channel.scale / deviation];
            const termsOfDDy = factor * largest(u) + Math.abs(inputs.ddScale[c]!);
            expectClose(
              columnOf(outputs.dDy, c, sizes.channels),
              dDy,
              tolerance,
              context,
              termsOfDDy,
            );
            expectClose(
              columnOf(outputs.dX, c, sizes.channels),
              dX,
              tolerance,
              context,
              (termsOfDDy * g) / deviation,
            );
            const termsOfDScale = (sizes.rows * largest(u) * g) / deviation;
            expectClose([outputs.secondDScale[c]!], dScale, tolerance, context, termsOfDScale);
          }
        });
      }),
      { numRuns: 12 },
    );
  });

  test("many rows and channels: the second gradient is symmetric, and pieces and blocks fit together", () => {
    fc.assert(
      fc.property(largeCases, seeds, (sizes, seed) => {
        const inputs = inputsOf(sizes, seed);
        const withoutVectors = {
          ...inputs,
          ddScale: new Float32Array(sizes.channels),
          ddOffset: new Float32Array(sizes.channels),
        };
        runEverywhere(sizes, withoutVectors, (outputs, context) => {
          for (let c = 0; c < sizes.channels; c++) {
            const [x, dy, u] = [inputs.x, inputs.dy, inputs.ddx].map((values) =>
              columnOf(values, c, sizes.channels),
            ) as [Float64Array, Float64Array, Float64Array];
            const channel = { x, scale: inputs.scale[c]!, epsilon: sizes.epsilon };
            // dx is a symmetric linear function of dy: its transpose is itself.
            expectClose(
              columnOf(outputs.dDy, c, sizes.channels),
              gradientOf(channel, u).dx,
              toleranceOf(channel),
              context,
            );
            expectClose(
              columnOf(outputs.dx, c, sizes.channels),
              gradientOf(channel, dy).dx,
              toleranceOf(channel),
              context,
            );
            // A shift of x changes nothing.
            const dX = columnOf(outputs.dX, c, sizes.channels);
            const size = dX.reduce((sum, value) => sum + Math.abs(value), 1e-3);
            expect(Math.abs(sumOf(dX))).toBeLessThanOrEqual(1e-5 * size);
          }
        });
      }),
      { numRuns: 5 },
    );
  });

  test("more channels than fit in a block", () => {
    const sizes = { rows: 70, channels: 4100, epsilon: 1e-5 };
    const inputs = inputsOf(sizes, 3);
    runEverywhere(sizes, inputs, (outputs, context) => {
      for (const c of [0, 4095, 4096, 4099]) {
        const channel = {
          x: columnOf(inputs.x, c, sizes.channels),
          scale: inputs.scale[c]!,
          epsilon: sizes.epsilon,
        };
        const dy = columnOf(inputs.dy, c, sizes.channels);
        expectClose(
          columnOf(outputs.dx, c, sizes.channels),
          gradientOf(channel, dy).dx,
          1e-5,
          context,
        );
        expectClose([outputs.variance[c]!], [momentsOf(channel.x).variance], 2 ** -22, context);
      }
    });
  });

  test("a large mean costs no accuracy of the variance", () => {
    const sizes = { rows: 512, channels: 8, epsilon: 1e-5 };
    const inputs = inputsOf(sizes, 1);
    const shifted = { ...inputs, x: inputs.x.map((value) => Math.fround(value + 1000)) };
    runEverywhere(sizes, shifted, (outputs, context) => {
      const { variance } = momentsOf(columnOf(shifted.x, 2, 8));
      expectClose([outputs.variance[2]!], [variance], 1e-6, context);
    });
  });
});
