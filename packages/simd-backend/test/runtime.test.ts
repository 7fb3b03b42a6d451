import { availableParallelism } from "node:os";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  ArenaExhaustedError,
  createKernelRuntime,
  KernelArgumentError,
  KernelFailureError,
  KernelsUnavailableError,
  MemoryUnavailableError,
  supportedFeatures,
} from "../src/index.ts";
import { availableMemory } from "../src/environment.ts";
import { upload, uploadInts } from "./runtimes.ts";

const GIBIBYTE = 2 ** 30;

describe("the arena", () => {
  test("hands out aligned memory until it is exhausted, and says for what it was not enough", async () => {
    const runtime = await createKernelRuntime({ bytes: 1000 });
    expect(runtime.capacity).toBe(1024);
    const first = runtime.allocate(1);
    const second = runtime.allocate(900, "weights");
    expect([first % 64, second % 64, second - first]).toEqual([0, 0, 64]);
    expect(runtime.used).toBe(64 + 960);
    const error = catchError(() => runtime.allocate(4, "velocity"));
    expect(error).toBeInstanceOf(ArenaExhaustedError);
    expect(error).toMatchObject({ label: "velocity", bytesNeeded: 64, bytesLeft: 0, exitCode: 1 });
    expect((error as Error).message).toMatch(/velocity needs 64 bytes but 0 are left/);
    runtime.dispose();
  });

  test("gives back what came after a mark", async () => {
    const runtime = await createKernelRuntime({ bytes: 256 });
    runtime.allocate(64);
    const mark = runtime.mark();
    const pointer = runtime.allocate(192);
    expect(() => runtime.allocate(1)).toThrow(ArenaExhaustedError);
    runtime.release(mark);
    expect(runtime.allocate(192)).toBe(pointer);
    expect(() => runtime.release(pointer + 4096)).toThrow(KernelArgumentError);
    expect(() => runtime.allocate(-1)).toThrow(KernelArgumentError);
    expect(() => runtime.allocate(1.5)).toThrow(KernelArgumentError);
    runtime.dispose();
  });

  test("measure takes the gradients of the other threads when it is recorded", async () => {
    const runtime = await createKernelRuntime({ bytes: 1024, threads: 3 });
    const pointer = runtime.allocate(64);
    const common = { inputs: pointer, weights: pointer, targets: pointer, gradient: pointer };
    const options = { ...common, sums: pointer, rows: 1, loss: "l2" } as const;
    runtime.program().measure({ ...options, length: 100 });
    expect(runtime.used).toBe(64 + 832);
    expect(() => runtime.program().measure({ ...options, length: 100 })).toThrow(
      /gradients of measure's threads needs 832 bytes but 128 are left/,
    );
    runtime.dispose();
  });

  test("reaches beyond 2 GiB", async (context) => {
    const available = (await availableMemory())!;
    if (available < 3 * GIBIBYTE) {
      const free = (available / GIBIBYTE).toFixed(1);
      return context.skip(`needs 3 GiB of free memory, ${free} are available`);
    }
    for (const threads of [1, 2]) {
      const bytes = Math.ceil(2.2 * GIBIBYTE);
      const runtime = await createKernelRuntime({ bytes, threads, sharedWork: 1 });
      runtime.allocate(2 ** 31 - 4096, "ballast");
      const length = 40 * 40;
      // Straddles 2^31.
      const a = upload(
        runtime,
        Float32Array.from({ length }, (_, i) => (i % 41) - 20),
      );
      const identity = upload(
        runtime,
        Float32Array.from({ length }, (_, i) => Number(i % 41 === 0)),
      );
      const c = runtime.allocate(4 * length);
      expect(c).toBeGreaterThan(2 ** 31);
      const builder = runtime.program();
      builder.gemm({ m: 40, n: 40, k: 40, a, lda: 40, b: identity, ldb: 40, c, ldc: 40 });
      builder.axpy({ count: length, alpha: 2, x: a, y: c });
      const gathered = runtime.allocate(4 * length);
      const index = uploadInts(
        runtime,
        Array.from({ length: 40 }, (_, i) => 39 - i),
      );
      builder.gatherProduct({
        out: gathered,
        rows: 40,
        width: 40,
        factors: [{ values: c, index }, { values: identity }],
      });
      builder.compile().run();
      expect([...runtime.floats(c, length)]).toEqual(
        [...runtime.floats(a, length)].map((x) => 3 * x),
      );
      expect(runtime.floats(gathered, length)[41]).toBe(runtime.floats(c, length)[38 * 40 + 1]);
      runtime.dispose();
    }
  });

  test("refuses sizes beyond what can be addressed or is free, before anything starts", async () => {
    const beyond = await createKernelRuntime({ bytes: 4 * GIBIBYTE }).catch((error) => error);
    expect(beyond).toBeInstanceOf(MemoryUnavailableError);
    expect(beyond).toMatchObject({ bytesAvailable: 4 * GIBIBYTE, exitCode: 1 });
    expect(beyond.bytesNeeded).toBeGreaterThan(4 * GIBIBYTE);
    expect(beyond.message).toMatch(/bytes are needed but 4294967296 are available/);

    vi.spyOn(process, "availableMemory").mockReturnValue(5_000_000);
    const scarce = await createKernelRuntime({ bytes: 6_000_000 }).catch((error) => error);
    expect(scarce).toBeInstanceOf(MemoryUnavailableError);
    expect(scarce).toMatchObject({ bytesAvailable: 5_000_000 });
  });
});

describe("options and features", () => {
  test.each([
    [{ bytes: -1 }, /bytes is -1/],
    [{ bytes: Number.NaN }, /bytes is NaN/],
    [{ bytes: 64, threads: 0 }, /threads is 0/],
    [{ bytes: 64, threads: 1.5 }, /threads is 1.5/],
    [{ bytes: 64, threads: 1000 }, /threads is 1000/],
  ])("%j is refused", async (options, message) => {
    const error = await createKernelRuntime(options).catch((reason) => reason);
    expect(error).toBeInstanceOf(KernelArgumentError);
    expect(error.exitCode).toBe(2);
    expect(error.message).toMatch(message);
  });

  test("without relaxed SIMD the plain variant runs, and says so", async () => {
    withoutModules((bytes) => bytes.includes(0x85));
    expect(supportedFeatures()).toMatchObject({ simd: true, relaxedSimd: false });
    const runtime = await createKernelRuntime({ bytes: 4096 });
    expect(runtime.variant).toBe("plain");
    expect(runtime.notices).toHaveLength(1);
    expect(runtime.notices[0]).toMatch(/relaxed SIMD/);
    runtime.dispose();
    await expect(createKernelRuntime({ bytes: 64, variant: "relaxed" })).rejects.toThrow(
      KernelsUnavailableError,
    );
  });

  test("without SIMD there is one clear error", async () => {
    withoutModules(() => true);
    expect(supportedFeatures()).toEqual({ simd: false, relaxedSimd: false, sharedMemory: false });
    await expect(createKernelRuntime({ bytes: 64 })).rejects.toThrow(/WebAssembly SIMD is missing/);
  });

  test("without shared memory one thread runs, and says so", async () => {
    vi.stubGlobal("SharedArrayBuffer", undefined);
    const runtime = await createKernelRuntime({ bytes: 4096, threads: 2, variant: "plain" });
    vi.unstubAllGlobals();
    expect(runtime.threads).toBe(1);
    expect(runtime.notices).toEqual([
      "shared memory or worker threads are missing here: 1 thread is used instead of 2",
    ]);
    runtime.dispose();
  });

  test("more threads than cores are allowed but said", async () => {
    const threads = availableParallelism() + 2;
    const runtime = await createKernelRuntime({ bytes: 2 ** 20, threads, sharedWork: 1 });
    expect(runtime.notices.join()).toMatch(/more threads than cores/);
    const count = 10000;
    const out = runtime.allocate(4 * count);
    const builder = runtime.program();
    builder.fill({ out, value: 3, count });
    builder.scale({ count, alpha: 2, values: out });
    builder.compile().run();
    expect(runtime.floats(out, count).every((value) => value === 6)).toBe(true);
    runtime.dispose();
  });
});

describe("programs", () => {
  test("misuse is refused with the operation, the field and the remedy", async () => {
    const runtime = await createKernelRuntime({ bytes: 65536, programBytes: 256 });
    const p = runtime.allocate(4096);
    const builder = runtime.program();
    const fill = builder.fill({ out: p, value: 1, count: 4 });
    const gemm = { m: 4, n: 5, k: 6, a: p, lda: 6, b: p, ldb: 5, c: p, ldc: 5 };
    const cases: readonly [() => unknown, RegExp][] = [
      [() => fill.set("rows", 1), /fill has no field rows; it has count, out, value/],
      [() => fill.set("count", -1), /fill.count is -1; give a non-negative whole number/],
      [() => fill.set("out", p + 1), /fill.out is .*multiple of 4/],
      [() => fill.set("out", 2 ** 33), /fill.out/],
      [() => fill.set("value", Number.NaN), /fill.value is NaN/],
      [() => builder.gemm({ ...gemm, lda: 5 }), /gemm.lda is 5; give at least 6/],
      [() => builder.gemm({ ...gemm, ldb: 4 }), /gemm.ldb/],
      [() => builder.gemm({ ...gemm, transposeB: true }), /gemm.ldb is 5; give at least 6/],
      [() => builder.gemm({ ...gemm, ldc: 4 }), /gemm.ldc/],
      [
        () => builder.gatherProduct({ out: p, rows: 1, width: 1, factors: [] }),
        /factors has 0 entries; give 1 to 8/,
      ],
      [
        () =>
          builder.residual({
            prediction: p,
            targets: p,
            count: 1,
            loss: "huber",
            gradient: p,
            sums: p,
          }),
        /threshold is undefined; give a positive number for huber/,
      ],
    ];
    for (const [misuse, message] of cases) {
      const error = catchError(misuse);
      expect(error).toBeInstanceOf(KernelArgumentError);
      expect((error as Error).message).toMatch(message);
    }
    builder.compile();
    expect(() => builder.fill({ out: p, value: 1, count: 4 })).toThrow(/compiled/);
    expect(() => builder.compile()).toThrow(/compiled/);
    const long = runtime.program();
    for (let i = 0; i < 3; i++) long.fill({ out: p, value: 1, count: 4 });
    expect(() => long.compile()).toThrow(/a program \(option programBytes\) needs/);
    runtime.dispose();
  });

  test.each([1, 2, 3])(
    "an index outside the memory stops %i thread(s) with an error",
    async (threads) => {
      const runtime = await createKernelRuntime({ bytes: 65536, threads, sharedWork: 1 });
      const builder = runtime.program();
      const out = runtime.allocate(400);
      // The last row is done by the last thread.
      const index = uploadInts(runtime, [0, 0, 0, 0, 0, 2 ** 28]);
      const handle = builder.gatherProduct({
        out,
        rows: 6,
        width: 3,
        factors: [{ values: out, index }],
      });
      builder.fill({ out, value: 1, count: 100 });
      const program = builder.compile();
      handle.set("rows", 5);
      program.run();
      handle.set("rows", 6);
      const error = catchError(() => program.run());
      expect(error).toBeInstanceOf(KernelFailureError);
      expect((error as Error).message).toMatch(/a kernel program stopped/);
      expect(() => program.run()).toThrow(/the kernel runtime is failed/);
      runtime.dispose();
      runtime.dispose();
      expect(() => program.run()).toThrow(/the kernel runtime is disposed/);
    },
  );

  test("runtimes do not disturb one another", async () => {
    const runtimes = await Promise.all(
      [1, 2, 2].map((threads) => createKernelRuntime({ bytes: 65536, threads, sharedWork: 1 })),
    );
    const programs = runtimes.map((runtime, position) => {
      const out = runtime.allocate(4000);
      const builder = runtime.program();
      builder.fill({ out, value: position, count: 1000 });
      const program = builder.compile();
      return { out, runtime, program };
    });
    for (const { program } of programs) program.run();
    programs.forEach(({ runtime, out }, position) =>
      expect(runtime.floats(out, 1000).every((value) => value === position)).toBe(true),
    );
    for (const runtime of runtimes) runtime.dispose();
  });
});

function catchError(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  return undefined;
}

/** Makes the engine refuse the feature modules that `missing` picks. */
function withoutModules(missing: (bytes: Uint8Array) => boolean): void {
  const validate = WebAssembly.validate.bind(WebAssembly);
  vi.spyOn(WebAssembly, "validate").mockImplementation(
    (bytes) => !missing(bytes as Uint8Array) && validate(bytes),
  );
}

afterEach(() => {
  vi.restoreAllMocks();
});
