import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KernelRuntime } from "../src/index.ts";
import { accumulate, expectClose, numbers, uniform, type Reference } from "./reference.ts";
import { blank, nameOf, testRuntimes, upload } from "./runtimes.ts";

const runtimes = testRuntimes();

interface Case {
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
  readonly alpha: number;
  readonly scale: number | undefined;
  readonly beta: number;
  readonly slack: readonly [number, number, number];
  readonly seed: number;
}

interface Operands {
  readonly a: Float32Array;
  readonly b: Float32Array;
  readonly c: Float32Array;
  readonly lda: number;
  readonly ldb: number;
  readonly ldc: number;
}

function operands({ m, n, k, transposeA, transposeB, slack, seed }: Case): Operands {
  const next = numbers(seed);
  const lda = (transposeA ? m : k) + slack[0];
  const ldb = (transposeB ? k : n) + slack[1];
  const ldc = n + slack[2];
  const a = uniform(next, (transposeA ? k : m) * lda);
  const b = uniform(next, (transposeB ? n : k) * ldb);
  return { a, b, c: uniform(next, m * ldc), lda, ldb, ldc };
}

function reference(
  { m, n, k, transposeA, transposeB, alpha, scale = 1, beta }: Case,
  { a, b, c, lda, ldb, ldc }: Operands,
): Reference {
  return accumulate(m * ldc, (add) => {
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < ldc; j++) {
        add(i * ldc + j, (j < n ? beta : 1) * c[i * ldc + j]!);
        for (let p = 0; j < n && p < k; p++) {
          const left = transposeA ? a[p * lda + i]! : a[i * lda + p]!;
          const right = transposeB ? b[j * ldb + p]! : b[p * ldb + j]!;
          add(i * ldc + j, alpha * scale * left * right);
        }
      }
    }
  });
}

function multiply(runtime: KernelRuntime, shape: Case, data: Operands): Float32Array {
  const mark = runtime.mark();
  const { m, n, k, transposeA, transposeB, alpha, beta, scale } = shape;
  const { lda, ldb, ldc } = data;
  const c = upload(runtime, data.c);
  if (beta === 0) {
    for (let i = 0; i < m; i++) runtime.floats(c + i * ldc * 4, n).fill(Number.NaN);
  }
  const program = runtime.program();
  program.gemm({
    transposeA,
    transposeB,
    m,
    n,
    k,
    alpha,
    alphaPointer: scale === undefined ? undefined : upload(runtime, [scale]),
    a: upload(runtime, data.a),
    lda,
    b: upload(runtime, data.b),
    ldb,
    beta,
    c,
    ldc,
  });
  program.compile().run();
  const result = runtime.floats(c, m * ldc).slice();
  runtime.release(mark);
  return result;
}

function check(shape: Case): void {
  const data = operands(shape);
  const expected = reference(shape, data);
  const bits = new Map<string, Float32Array>();
  for (const runtime of runtimes) {
    const actual = multiply(runtime, shape, data);
    expectClose(actual, expected, shape.k, `${nameOf(runtime)} ${JSON.stringify(shape)}`);
    expect(actual, "bits by thread count").toEqual(bits.get(runtime.variant) ?? actual);
    bits.set(runtime.variant, actual);
  }
}

const shapes = fc.record({
  m: fc.integer({ min: 1, max: 70 }),
  n: fc.integer({ min: 1, max: 70 }),
  k: fc.integer({ min: 0, max: 70 }),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  alpha: fc.constantFrom(1, -0.75),
  scale: fc.constantFrom(undefined, 1.5),
  beta: fc.constantFrom(0, 1, 0.5),
  slack: fc.tuple(...[0, 1, 2].map(() => fc.integer({ min: 0, max: 5 }))) as fc.Arbitrary<
    [number, number, number]
  >,
  seed: fc.nat(),
});

describe("gemm", () => {
  test("equals the float64 product for any sizes, strides, transpositions and scalars", () => {
    fc.assert(fc.property(shapes, check), { numRuns: 150 });
  });

  test.each([
    [16, 512, 300, false, false, 0],
    [300, 16, 512, false, true, 0.5],
    [16, 300, 512, false, true, 1],
    [300, 290, 16, true, false, 0],
    [260, 16, 520, true, false, 0.5],
    [16, 260, 520, true, false, 1],
    [130, 270, 260, false, false, 0.5],
    [130, 140, 515, true, true, 0],
  ])("equals it beyond one cache block: %i × %i × %i", (m, n, k, transposeA, transposeB, beta) => {
    const scalars = { alpha: 1, scale: undefined, beta, slack: [3, 0, 1], seed: m } as const;
    check({ m, n, k, transposeA, transposeB, ...scalars });
  });

  test("patched sizes and pointers take effect in the next run", () => {
    for (const runtime of runtimes) {
      const mark = runtime.mark();
      const next = numbers(5);
      const a = uniform(next, 40 * 30);
      const b = uniform(next, 30 * 50);
      const other = uniform(next, 30 * 50);
      const [pa, pb, po] = [a, b, other].map((values) => upload(runtime, values));
      const c = blank(runtime, 40 * 50);
      const builder = runtime.program();
      const handle = builder.gemm({
        m: 40,
        n: 50,
        k: 30,
        a: pa!,
        lda: 30,
        b: pb!,
        ldb: 50,
        c,
        ldc: 50,
      });
      const program = builder.compile();
      program.run();
      const whole = runtime.floats(c, 40 * 50).slice();
      handle.set("m", 7);
      handle.set("b", po!);
      handle.set("alpha", 2);
      program.run();
      const shape = { m: 7, n: 50, k: 30, transposeA: false, transposeB: false, alpha: 2 };
      const data = { a, b: other, c: new Float32Array(7 * 50), lda: 30, ldb: 50, ldc: 50 };
      const expected = reference(
        { ...shape, scale: undefined, beta: 0, slack: [0, 0, 0], seed: 0 },
        data,
      );
      expectClose(runtime.floats(c, 7 * 50), expected, 30, nameOf(runtime));
      expect(runtime.floats(c + 7 * 50 * 4, 33 * 50)).toEqual(whole.subarray(7 * 50));
      runtime.release(mark);
    }
  });
});
