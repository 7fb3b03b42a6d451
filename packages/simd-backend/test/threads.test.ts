import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { createKernelRuntime, type KernelRuntime, type Program } from "../src/index.ts";
import { integers, numbers, uniform } from "./reference.ts";
import { upload, uploadInts } from "./runtimes.ts";

interface Step {
  readonly program: Program;
  reset(): void;
  state(): Uint8Array;
}

/** A program that uses every kind of sharing: rows, columns, lists, segments and partial gradients. */
function mixedStep(runtime: KernelRuntime): Step {
  const next = numbers(3);
  const [samples, rows, width] = [300, 20, 65];
  const initial = uniform(next, rows * width);
  const weights = upload(runtime, initial);
  const inputs = upload(runtime, uniform(next, samples * rows * width));
  const targets = upload(runtime, uniform(next, samples));
  const gradient = runtime.allocate(4 * rows * width);
  const products = runtime.allocate(4 * samples * width);
  const gram = runtime.allocate(4 * width * width);
  const column = runtime.allocate(4 * width);
  const sums = runtime.allocate(64);
  const norm = runtime.allocate(8);
  const index = uploadInts(runtime, integers(next, samples, rows));
  const start = uploadInts(
    runtime,
    Array.from({ length: rows + 1 }, (_, i) => Math.floor((i * samples) / rows)),
  );
  const factors = [
    { values: weights, index },
    { values: weights, index },
  ];
  const sizes = { rows: samples, width };
  const builder = runtime.program();
  builder.measure({
    inputs,
    length: rows * width,
    rows: samples,
    weights,
    targets,
    loss: "huber",
    threshold: 0.5,
    gradient,
    sums,
  });
  builder.gatherProduct({ out: products, ...sizes, factors });
  builder.gemm({
    transposeA: true,
    m: width,
    n: width,
    k: samples,
    a: products,
    lda: width,
    b: products,
    ldb: width,
    c: gram,
    ldc: width,
  });
  builder.columnSum({ out: column, a: gram, rows: width, width });
  builder.scaleColumns({ out: products, in: products, ...sizes, scale: column });
  builder.scatterProduct({ out: gradient, rows, width, start, upstream: products, factors });
  builder.squaredNorm({ values: gradient, count: rows * width, out: norm });
  builder.axpy({ count: rows * width, alpha: -1e-3, x: gradient, y: weights });
  const program = builder.compile();
  return {
    program,
    reset: () => runtime.floats(weights, rows * width).set(initial),
    state: () => new Uint8Array(runtime.floats(weights, 1).buffer.slice(weights, norm + 8)),
  };
}

/** Threads that keep all cores busy, in bursts, to shuffle the timing. */
function makeLoad(count: number): Worker[] {
  const source = `
    const pause = new Int32Array(new SharedArrayBuffer(4));
    for (;;) {
      for (const end = Date.now() + Math.random() * 6; Date.now() < end; );
      Atomics.wait(pause, 0, 0, Math.random() * 4);
    }`;
  return Array.from({ length: count }, () => new Worker(source, { eval: true, execArgv: [] }));
}

describe("threads", () => {
  test.each([1, 2, 3])(
    "give the same bits in every run, with %i of them under load",
    async (threads) => {
      const load = makeLoad(2);
      const runtime = await createKernelRuntime({ bytes: 2 ** 23, threads, sharedWork: 1 });
      const { program, reset, state } = mixedStep(runtime);
      let expected: Uint8Array | undefined;
      for (let repetition = 0; repetition < 25; repetition++) {
        reset();
        for (let step = 0; step < 4; step++) program.run();
        const bits = state();
        expected ??= bits;
        expect(Buffer.compare(bits, expected)).toBe(0);
      }
      runtime.dispose();
      await Promise.all(load.map((worker) => worker.terminate()));
    },
  );

  test("agree with one thread to rounding", async () => {
    const results: Float32Array[] = [];
    for (const threads of [1, 3]) {
      const runtime = await createKernelRuntime({ bytes: 2 ** 23, threads, sharedWork: 1 });
      const { program, state } = mixedStep(runtime);
      program.run();
      results.push(new Float32Array(state().buffer, 0, 20 * 65));
      runtime.dispose();
    }
    // Only measure sums by thread; one step moves the weights by 1e-3 of a sum of some thousand terms.
    results[0]!.forEach((value, i) => expect(Math.abs(value - results[1]![i]!)).toBeLessThan(1e-5));
  });

  test("sleep between programs and wake again", async () => {
    const runtime = await createKernelRuntime({ bytes: 2 ** 20, threads: 3, sharedWork: 1 });
    const out = runtime.allocate(4000);
    const builder = runtime.program();
    const handle = builder.fill({ out, value: 0, count: 1000 });
    const program = builder.compile();
    for (let value = 1; value <= 5; value++) {
      // Long enough for the spinning to have ended.
      await new Promise((resolve) => setTimeout(resolve, 30));
      handle.set("value", value);
      program.run();
      expect(runtime.floats(out, 1000).every((entry) => entry === value)).toBe(true);
    }
    runtime.dispose();
  });

  test("do not keep the process alive, disposed of or not", async () => {
    const module = new URL("../src/index.ts", import.meta.url).href;
    const script = `
      const { createKernelRuntime } = await import(${JSON.stringify(module)});
      const runtime = await createKernelRuntime({ bytes: 4096, threads: 3, sharedWork: 1 });
      const out = runtime.allocate(400);
      const builder = runtime.program();
      builder.fill({ out, value: 7, count: 100 });
      builder.compile().run();
      if (process.argv[1] === "dispose") runtime.dispose();
      console.log(runtime.floats(out, 100)[99]);`;
    for (const ending of ["dispose", "leave"]) {
      const options = { timeout: 20_000 };
      const run = promisify(execFile);
      const flags = ["--disable-warning=ExperimentalWarning", "--input-type=module"];
      const { stdout } = await run(process.execPath, [...flags, "-e", script, ending], options);
      expect(stdout.trim()).toBe("7");
    }
  });
});
