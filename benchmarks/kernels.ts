/**
 * What the elementary operations of a fused step cost: multiply-adds (or elements) per nanosecond and,
 * relative to a well-blocked matrix product, the weights of the cost model in
 * packages/tensor-factorization/src/engines/fused/cost-model.ts.
 *
 *   node benchmarks/kernels.ts [--repetitions 300]
 *
 * The fastest of the repetitions counts, since other programs only ever slow one down.
 */
import { parseArgs } from "node:util";
import { createRandom } from "@implicit-rank/random";
import { createKernelRuntime, type ProgramBuilder } from "@implicit-rank/simd-backend";
import { markdownTable } from "./timing.ts";

const { values: options } = parseArgs({
  options: { repetitions: { type: "string", default: "300" } },
});
const [rows, width, samples] = [256, 512, 2048];

const runtime = await createKernelRuntime({ bytes: 2 ** 26 });
const random = createRandom(1);
const floats = (count: number): number => {
  const pointer = runtime.allocate(4 * count);
  random.fillNormal(runtime.floats(pointer, count), 0, 1);
  return pointer;
};
/** `count` row numbers below `bound`. */
const rowNumbers = (count: number, bound: number): number => {
  const pointer = runtime.allocate(4 * count);
  const values = runtime.ints(pointer, count);
  for (let i = 0; i < count; i++) values[i] = random.int(bound);
  return pointer;
};
/** Starts of `count` lists of equal length. */
const starts = (count: number, length: number): number => {
  const pointer = runtime.allocate(4 * (count + 1));
  const values = runtime.ints(pointer, count + 1);
  for (let i = 0; i <= count; i++) values[i] = i * length;
  return pointer;
};

const [left, right, out] = [floats(rows * width), floats(rows * width), floats(rows * width)];
const [scale, index, other] = [floats(samples), rowNumbers(samples, rows), rowNumbers(samples, 16)];
const perRow = starts(rows, samples / rows);

const operations: readonly [string, number, (program: ProgramBuilder) => unknown][] = [
  [
    "matrix product 256×16×512",
    rows * 16 * width,
    (program) =>
      program.gemm({
        transposeB: true,
        m: rows,
        n: 16,
        k: width,
        a: left,
        lda: width,
        b: right,
        ldb: width,
        c: out,
        ldc: 16,
      }),
  ],
  [
    "dot products of gathered rows",
    samples * width,
    (program) =>
      program.sampledDot({
        out: scale,
        count: samples,
        width,
        left,
        leftIndex: index,
        right,
        rightIndex: other,
      }),
  ],
  [
    "scaled sum of gathered rows",
    samples * width,
    (program) =>
      program.scatterScaled({
        out,
        rows,
        width,
        start: perRow,
        scale,
        values: right,
        index: other,
      }),
  ],
  [
    "elementwise product of two gathered rows",
    rows * width,
    (program) =>
      program.gatherProduct({
        out,
        rows,
        width,
        factors: [
          { values: left, index },
          { values: right, index: other },
        ],
      }),
  ],
  [
    "gradient of that by one factor",
    rows * width,
    (program) =>
      program.scatterProduct({
        out,
        rows: 16,
        width,
        start: starts(16, rows / 16),
        upstream: left,
        factors: [{ values: right, index: other }],
      }),
  ],
];

function nanosecondsPerUnit(units: number, record: (program: ProgramBuilder) => unknown): number {
  const builder = runtime.program();
  for (let i = 0; i < 10; i++) record(builder);
  const program = builder.compile();
  let best = Infinity;
  for (let i = 0; i < Number(options.repetitions); i++) {
    const start = performance.now();
    program.run();
    best = Math.min(best, performance.now() - start);
  }
  return (best * 1e6) / (10 * units);
}

const measured = operations.map(([name, units, record]) => ({
  name,
  nanoseconds: nanosecondsPerUnit(units, record),
}));
console.log(
  markdownTable(
    ["operation", "per nanosecond", "weight"],
    measured.map(({ name, nanoseconds }) => [
      name,
      (1 / nanoseconds).toFixed(1),
      (nanoseconds / measured[0].nanoseconds).toFixed(1),
    ]),
  ),
);
