/**
 * GFLOPS of the matrix product against the measured peak of this machine.
 *
 *   node benchmarks/gemm.ts [--threads 1,2] [--variants relaxed,plain] [--seconds 0.3] [--json]
 *
 * Every figure is the best of many short repetitions, taken in turns with the peak, so that other work on
 * the machine and changes of its clock disturb it least.
 */
import { parseArgs } from "node:util";
import { createKernelRuntime, supportedFeatures } from "@implicit-rank/simd-backend";
import type { KernelRuntime, KernelVariant } from "@implicit-rank/simd-backend";

interface Shape {
  readonly label: string;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly beta?: number;
}

/** Label letters: N as stored, T transposed, for A and B. The skinny ones are those of factorizations. */
const shapes: readonly Shape[] = [
  { label: "NN", m: 512, n: 512, k: 512 },
  { label: "NT", m: 512, n: 512, k: 512 },
  { label: "TN", m: 512, n: 512, k: 512 },
  { label: "TT", m: 512, n: 512, k: 512 },
  { label: "NN", m: 16, n: 512, k: 512 },
  { label: "NT", m: 16, n: 512, k: 512 },
  { label: "TN", m: 512, n: 512, k: 16, beta: 1 },
  { label: "NT", m: 256, n: 16, k: 512 },
  { label: "TN", m: 16, n: 512, k: 256 },
  { label: "NN", m: 64, n: 64, k: 64 },
  { label: "TN", m: 64, n: 64, k: 64 },
  { label: "NT", m: 64, n: 64, k: 64 },
  { label: "NT", m: 16, n: 256, k: 256 },
  { label: "NN", m: 2048, n: 16, k: 256 },
  { label: "TN", m: 256, n: 16, k: 2048 },
  { label: "NN", m: 64, n: 512, k: 512 },
  { label: "NN", m: 1000, n: 1000, k: 1000 },
];

interface Measurement {
  readonly shape: string;
  readonly variant: KernelVariant;
  readonly threads: number;
  readonly milliseconds: number;
  readonly gigaflops: number;
  readonly peak: number;
}

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "1,2" },
    variants: { type: "string", default: "relaxed,plain" },
    seconds: { type: "string", default: "0.3" },
    json: { type: "boolean", default: false },
  },
});

/** Best milliseconds of one call, in repetitions of some two milliseconds until the time is up. */
function best(run: () => void, seconds: number): number {
  run();
  const once = timed(run, 1);
  const calls = Math.max(1, Math.ceil(2 / Math.max(once, 1e-4)));
  let shortest = Infinity;
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) shortest = Math.min(shortest, timed(run, calls) / calls);
  return shortest;
}

function timed(run: () => void, calls: number): number {
  const start = performance.now();
  for (let call = 0; call < calls; call++) run();
  return performance.now() - start;
}

/** GFLOPS of multiply-adds on registers alone, one thread: 12 four-lane operations of 2 flops a turn. */
function peakGigaflops(runtime: KernelRuntime, seconds: number): number {
  const turns = 20000;
  return (turns * 96) / best(() => runtime.multiplyAddLoop(turns), seconds) / 1e6;
}

function product(runtime: KernelRuntime, { label, m, n, k, beta = 0 }: Shape): () => void {
  const transposeA = label[0] === "T";
  const transposeB = label[1] === "T";
  const [a, b, c] = [m * k, k * n, m * n].map((length) => {
    const pointer = runtime.allocate(4 * length);
    runtime
      .floats(pointer, length)
      .forEach((_, i, all) => (all[i] = ((i * 7919) % 1000) / 1000 - 0.5));
    return pointer;
  });
  const program = runtime.program();
  program.gemm({
    transposeA,
    transposeB,
    m,
    n,
    k,
    alpha: 1e-6,
    a: a!,
    lda: transposeA ? m : k,
    b: b!,
    ldb: transposeB ? k : n,
    beta,
    c: c!,
    ldc: n,
  });
  const compiled = program.compile();
  return () => compiled.run();
}

async function measure(variant: KernelVariant, threads: number): Promise<Measurement[]> {
  const seconds = Number(values.seconds);
  const runtime = await createKernelRuntime({ bytes: 2 ** 26, variant, threads });
  for (const notice of runtime.notices) console.error(notice);
  let peak = peakGigaflops(runtime, seconds);
  const results = shapes.map((shape) => {
    const mark = runtime.mark();
    const milliseconds = best(product(runtime, shape), seconds);
    runtime.release(mark);
    peak = Math.max(peak, peakGigaflops(runtime, seconds / 10));
    const { label, m, n, k } = shape;
    const gigaflops = (2 * m * n * k) / milliseconds / 1e6;
    return { shape: `${m}×${n}×${k} ${label}`, variant, threads, milliseconds, gigaflops };
  });
  runtime.dispose();
  return results.map((result) => ({ ...result, peak: peak * threads }));
}

const wanted = values.variants.split(",") as KernelVariant[];
const variants = wanted.filter(
  (variant) => variant !== "relaxed" || supportedFeatures().relaxedSimd,
);
const measurements: Measurement[] = [];
for (const variant of variants) {
  for (const threads of values.threads.split(",").map(Number)) {
    measurements.push(...(await measure(variant, threads)));
  }
}

if (values.json) console.log(JSON.stringify(measurements, undefined, 2));
else {
  console.log(
    "shape m×n×k          variant  threads       ms   GFLOPS  of peak (threads × one register loop)",
  );
  for (const { shape, variant, threads, milliseconds, gigaflops, peak } of measurements) {
    console.log(
      [
        shape.padEnd(20),
        variant.padEnd(8),
        String(threads).padStart(7),
        milliseconds.toFixed(4).padStart(9),
        gigaflops.toFixed(1).padStart(8),
        `${((100 * gigaflops) / peak).toFixed(0)}% of ${peak.toFixed(1)}`.padStart(14),
      ].join(" "),
    );
  }
}
