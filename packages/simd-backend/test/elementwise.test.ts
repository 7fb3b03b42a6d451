import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { BinaryKind, UnaryKind } from "../src/index.ts";
import { seeds } from "./check.ts";
import { numbers, uniform } from "./reference.ts";
import { testRuntimes, upload } from "./runtimes.ts";
import { checkWithinUlps, specialValues, ulpsBetween } from "./ulps.ts";

const runtimes = testRuntimes();

const ALPHA = 0.25;
const THRESHOLD = Math.log(2 ** -23) + 2;

/** The functions in float64, as backend cpu of tfjs has them, and the distance allowed after rounding to float32. */
const unaryReferences: Record<UnaryKind, { of: (x: number) => number; ulps: number }> = {
  negate: { of: (x) => -x, ulps: 0 },
  absolute: { of: Math.abs, ulps: 0 },
  square: { of: (x) => x * x, ulps: 0 },
  squareRoot: { of: Math.sqrt, ulps: 0 },
  // A square root and a quotient, each rounded.
  reciprocalSquareRoot: { of: (x) => 1 / Math.sqrt(x), ulps: 1 },
  reciprocal: { of: (x) => 1 / x, ulps: 0 },
  relu: { of: (x) => Math.max(0, x), ulps: 0 },
  relu6: { of: (x) => Math.min(Math.max(0, x), 6), ulps: 0 },
  step: { of: (x) => (Number.isNaN(x) ? NaN : x > 0 ? 1 : ALPHA), ulps: 0 },
  leakyRelu: { of: (x) => (x < 0 ? ALPHA * x : x), ulps: 0 },
  // Rounded once, from float64 values that may differ in their last digits.
  elu: { of: (x) => (x >= 0 ? x : Math.expm1(x)), ulps: 1 },
  exponential: { of: Math.exp, ulps: 1 },
  logarithm: { of: Math.log, ulps: 1 },
  sigmoid: { of: (x) => 1 / (1 + Math.exp(-x)), ulps: 1 },
  tanh: { of: Math.tanh, ulps: 1 },
  softplus: {
    of: (x) => (x < THRESHOLD ? Math.exp(x) : x > -THRESHOLD ? x : Math.log(1 + Math.exp(x))),
    ulps: 1,
  },
};

const binaryReferences: Record<BinaryKind, { of: (a: number, b: number) => number; ulps: number }> =
  {
    add: { of: (a, b) => a + b, ulps: 0 },
    subtract: { of: (a, b) => a - b, ulps: 0 },
    multiply: { of: (a, b) => a * b, ulps: 0 },
    divide: { of: (a, b) => a / b, ulps: 0 },
    maximum: { of: Math.max, ulps: 0 },
    minimum: { of: Math.min, ulps: 0 },
    squaredDifference: { of: (a, b) => Math.fround(a - b) * Math.fround(a - b), ulps: 0 },
    prelu: { of: (a, b) => (a < 0 ? a * b : a), ulps: 0 },
    eluGradient: { of: (a, b) => (b >= 0 ? a : a * Math.fround(b + 1)), ulps: 0 },
    reluGradient: { of: (a, b) => (b <= 0 ? 0 : a), ulps: 0 },
  };

const kindsOf = <Kind extends string>(references: Record<Kind, unknown>): Kind[] =>
  Object.keys(references) as Kind[];

describe("unary", () => {
  test.each(kindsOf(unaryReferences))("%s is the cpu backend's function", (kind) => {
    const { of, ulps } = unaryReferences[kind];
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 70 }), seeds, (count, seed) => {
        const next = numbers(seed);
        const spread = Float32Array.from({ length: count }, () => next() * 2 ** (next() * 30));
        const x = Float32Array.from([...spread, ...specialValues]);
        checkWithinUlps(runtimes, kind, Float32Array.from(x, of), ulps, (builder, runtime, out) =>
          builder.unary({ kind, out, x: upload(runtime, x), count: x.length, alpha: ALPHA }),
        );
      }),
      { numRuns: 15 },
    );
  });

  test("exponentials and logarithms are rounded right but for one argument in ten thousand", () => {
    const count = 40000;
    const wide = Float32Array.from({ length: count }, (_, i) => (i / count - 0.5) * 190);
    const positive = wide.map((x) => 2 ** x);
    const kinds: readonly UnaryKind[] = ["exponential", "sigmoid", "tanh", "softplus", "logarithm"];
    const runtime = runtimes[0]!;
    for (const kind of kinds) {
      const x = kind === "logarithm" ? positive : wide;
      const mark = runtime.mark();
      const out = runtime.allocate(4 * count);
      const builder = runtime.program();
      builder.unary({ kind, out, x: upload(runtime, x), count });
      builder.compile().run();
      const distances = runtime
        .floats(out, count)
        .map((value, i) => ulpsBetween(value, Math.fround(unaryReferences[kind].of(x[i]!))));
      runtime.release(mark);
      expect(Math.max(...distances)).toBeLessThanOrEqual(1);
      expect(distances.filter((distance) => distance > 0).length).toBeLessThanOrEqual(count / 1e4);
    }
  });
});

describe("binary", () => {
  test.each(kindsOf(binaryReferences))("%s with every kind of broadcast", (kind) => {
    const { of, ulps } = binaryReferences[kind];
    const small = fc.integer({ min: 1, max: 6 });
    const width = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constant(130));
    const broadcast = fc.tuple(fc.boolean(), fc.boolean(), fc.boolean());
    fc.assert(
      fc.property(
        small,
        small,
        width,
        broadcast,
        broadcast,
        seeds,
        (outer, rows, columns, aVaries, bVaries, seed) => {
          const next = numbers(seed);
          const sizes = [outer, rows, columns];
          const stridesOf = (varies: readonly boolean[]): [number, number, number] => {
            const lengths = sizes.map((length, axis) => (varies[axis] ? length : 1));
            return [
              varies[0] ? lengths[1]! * lengths[2]! : 0,
              varies[1] ? lengths[2]! : 0,
              varies[2] ? 1 : 0,
            ];
          };
          const [aStrides, bStrides] = [stridesOf(aVaries), stridesOf(bVaries)];
          const operand = (varies: readonly boolean[]) =>
            uniform(
              next,
              sizes.reduce((product, length, axis) => product * (varies[axis] ? length : 1), 1),
            ).map((value, i) => (next() > 0.8 ? specialValues[i % specialValues.length]! : value));
          const [a, b] = [operand(aVaries), operand(bVaries)];
          const expected = new Float32Array(outer * rows * columns);
          for (let o = 0, i = 0; o < outer; o++) {
            for (let r = 0; r < rows; r++) {
              for (let c = 0; c < columns; c++, i++) {
                const at = ([x, y, z]: readonly number[]) => o * x! + r * y! + c * z!;
                expected[i] = of(a[at(aStrides)]!, b[at(bStrides)]!);
              }
            }
          }
          checkWithinUlps(runtimes, kind, expected, ulps, (builder, runtime, out) =>
            builder.binary({
              kind,
              out,
              a: upload(runtime, a),
              b: upload(runtime, b),
              outer,
              rows,
              width: columns,
              aStrides,
              bStrides,
            }),
          );
        },
      ),
      { numRuns: 15 },
    );
  });

  test("long vectors, in place", () => {
    const next = numbers(5);
    const [a, b] = [uniform(next, 40003), uniform(next, 40003)];
    const expected = a.map((value, i) => value + b[i]!);
    checkWithinUlps(runtimes, "add in place", expected, 0, (builder, runtime, out) => {
      runtime.floats(out, a.length).set(a);
      builder.binary({ kind: "add", out, a: out, b: upload(runtime, b), width: a.length });
    });
  });
});
