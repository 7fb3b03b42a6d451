import { execFile } from "node:child_process";
import * as modules from "node:module";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

interface Results {
  readonly passed: readonly string[];
  readonly failed: readonly { readonly name: string; readonly message: string }[];
}

const runner = fileURLToPath(new URL("published/run-tests.mjs", import.meta.url));

async function runPublishedTests(backend: string): Promise<Results> {
  const { stdout } = await promisify(execFile)(process.execPath, [runner, backend], {
    maxBuffer: 2 ** 26,
  });
  return JSON.parse(stdout) as Results;
}

/** Tests of moving data between two cpu backends, which ask for that backend by name. */
const CPU_ONLY = "Switching cpu backends";

/** Node 20 cannot load tfjs's sources as they are. */
const cannotLoad = !("registerHooks" in modules);

test.skipIf(cannotLoad)(
  "passes the tests that tfjs-core publishes, but for those that backend cpu fails in the same run",
  async () => {
    const [cpu, simd] = await Promise.all([runPublishedTests("cpu"), runPublishedTests("simd")]);
    const failing = new Set(cpu.failed.map(({ name }) => name));
    expect(simd.failed.filter(({ name }) => !failing.has(name))).toEqual([]);
    const expected = cpu.passed.filter((name) => !name.startsWith(CPU_ONLY));
    expect(expected.length).toBeGreaterThan(4000);
    const passing = new Set(simd.passed);
    expect(expected.filter((name) => !passing.has(name))).toEqual([]);
  },
  180_000,
);
