/**
 * How a fused GroupRMSprop step scales in the number of samples, order, mode size, width and threads:
 * milliseconds per step, kernel memory, and the slope of log time over log size, as a table and a plot.
 *
 *   node benchmarks/scaling.ts [--seconds 1] [--output docs/results/scaling]
 *
 * `--output` writes OUTPUT.md, OUTPUT.svg and OUTPUT.png. Slopes are least squares over the larger half
 * of each series, where fixed costs no longer count.
 */
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import {
  compileFused,
  type FactorizationSpec,
  groupRmsProp,
} from "@implicit-rank/tensor-factorization";
import { cp, drawCase, ht } from "./factorization-cases.ts";
import { drawLogPlot } from "./log-plot.ts";
import { markdownTable, timePerStep } from "./timing.ts";

const { values: options } = parseArgs({
  options: { seconds: { type: "string", default: "1" }, output: { type: "string" } },
});

interface Series {
  readonly label: string;
  readonly variable: string;
  readonly sizes: readonly number[];
  problem(size: number): {
    spec: FactorizationSpec;
    task: "completion" | "sensing";
    samples: number;
    threads?: number;
  };
}

const mf = (dim: number): FactorizationSpec => ({ kind: "mf", sizes: [dim, dim, dim, dim] });
const completion = { task: "completion" } as const;
const sensing = { task: "sensing" } as const;

const series: readonly Series[] = [
  {
    label: "HT 3, dim 16, width 512, completion",
    variable: "samples",
    sizes: [128, 256, 512, 1024, 2048, 4096],
    problem: (samples) => ({ spec: ht(3, 16, 512), ...completion, samples }),
  },
  {
    label: "HT 3, dim 16, width 512, sensing",
    variable: "samples",
    sizes: [512, 1024, 2048, 4096, 8192, 16384],
    problem: (samples) => ({ spec: ht(3, 16, 512), ...sensing, samples }),
  },
  {
    label: "MF 64×64, depth 3, sensing",
    variable: "samples",
    sizes: [256, 512, 1024, 2048, 4096, 8192],
    problem: (samples) => ({ spec: mf(64), ...sensing, samples }),
  },
  {
    label: "HT dim 4, width 64, 1,024 samples",
    variable: "order",
    sizes: [6, 8, 12, 16, 24, 32],
    problem: (order) => ({ spec: ht(order, 4, 64), ...completion, samples: 1024 }),
  },
  {
    label: "CP dim 4, 256 components, 1,024 samples",
    variable: "order",
    sizes: [6, 8, 12, 16, 24, 32],
    problem: (order) => ({ spec: cp(order, 4, 256), ...completion, samples: 1024 }),
  },
  {
    label: "HT 3, width 256, 2,048 samples",
    variable: "mode size",
    sizes: [13, 16, 24, 32, 48, 64],
    problem: (dim) => ({ spec: ht(3, dim, 256), ...completion, samples: 2048 }),
  },
  {
    label: "MF depth 3, half of the entries",
    variable: "mode size",
    sizes: [32, 64, 128, 256, 512],
    problem: (dim) => ({ spec: mf(dim), ...completion, samples: dim ** 2 / 2 }),
  },
  {
    label: "HT 3, dim 16, 2,048 samples",
    variable: "width",
    sizes: [64, 128, 256, 512, 1024, 2048],
    problem: (width) => ({ spec: ht(3, 16, width), ...completion, samples: 2048 }),
  },
  {
    label: "CP 3, dim 16, 2,048 samples",
    variable: "width",
    sizes: [64, 128, 256, 512, 1024, 2048],
    problem: (width) => ({ spec: cp(3, 16, width), ...completion, samples: 2048 }),
  },
  {
    label: "HT 4, dim 8, width 512, completion",
    variable: "threads",
    sizes: [1, 2, 4],
    problem: (threads) => ({ spec: ht(4, 8, 512), ...completion, samples: 2048, threads }),
  },
  {
    label: "HT 4, dim 8, width 512, sensing",
    variable: "threads",
    sizes: [1, 2, 4],
    problem: (threads) => ({ spec: ht(4, 8, 512), ...sensing, samples: 2048, threads }),
  },
];

interface Point {
  readonly size: number;
  readonly milliseconds: number;
  readonly mebibytes: number;
}

async function measure(size: number, { problem, label }: Series): Promise<Point> {
  const { threads = 1, ...drawn } = problem(size);
  const { factorization, observations } = drawCase({ name: label, ...drawn }, 1);
  const step = await compileFused(factorization, observations, { kind: "l2" }, groupRmsProp(), {
    threads,
  });
  const { milliseconds } = timePerStep(() => void step.step(), Number(options.seconds), 5);
  step.dispose();
  return { size, milliseconds, mebibytes: step.bytes / 2 ** 20 };
}

/** Least-squares slope of log y over log x, over the larger half of the points. */
function logSlope(points: readonly Point[]): number {
  const tail = points.slice(Math.floor(points.length / 2) - 1);
  const x = tail.map(({ size }) => Math.log(size));
  const y = tail.map(({ milliseconds }) => Math.log(milliseconds));
  const meanX = x.reduce((a, b) => a + b) / x.length;
  const meanY = y.reduce((a, b) => a + b) / y.length;
  const covariance = x.reduce((sum, value, i) => sum + (value - meanX) * (y[i] - meanY), 0);
  return covariance / x.reduce((sum, value) => sum + (value - meanX) ** 2, 0);
}

const rows: string[][] = [];
const curves: { label: string; group: string; points: [number, number][] }[] = [];
for (const line of series) {
  const points: Point[] = [];
  for (const size of line.sizes) points.push(await measure(size, line));
  const slope = logSlope(points);
  console.error(`${line.label} over ${line.variable}: slope ${slope.toFixed(2)}`);
  rows.push([
    line.label,
    line.variable,
    points.map(({ size, milliseconds }) => `${size}: ${milliseconds.toPrecision(3)}`).join(", "),
    slope.toFixed(2),
    points.at(-1)!.mebibytes.toFixed(0),
  ]);
  curves.push({
    label: `${line.label} (slope ${slope.toFixed(2)})`,
    group: line.variable,
    points: points.map(({ size, milliseconds }) => [size, milliseconds]),
  });
}
const table = markdownTable(
  ["problem", "over", "milliseconds per step", "slope", "MiB at the largest"],
  rows,
);
console.log(table);
if (options.output !== undefined) {
  writeFileSync(`${options.output}.md`, `${table}\n`);
  await drawLogPlot(options.output, curves, "milliseconds per step");
}
