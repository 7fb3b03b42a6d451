import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test, type TestContext } from "vitest";
import { startBackend } from "../src/backend/start-backend.ts";

/** What test/backend-step.ts prints. */
interface Step {
  readonly started: { readonly name: string; readonly threads: number };
  readonly first: Readonly<Record<string, number>>;
  readonly second: Readonly<Record<string, number>>;
  readonly update: readonly number[];
  readonly leaked: number;
}

const program = join(import.meta.dirname, "backend-step.ts");

/** Two training steps with the regularizer, in a process of their own. */
function runStep(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd?: string) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
    timeout: 240_000,
    cwd,
  });
  return { status, stdout, stderr };
}

function stepOf(args: readonly string[], env?: NodeJS.ProcessEnv): Step {
  const { status, stdout, stderr } = runStep(args, env);
  if (status !== 0) throw new Error(`exit code ${status}: ${stderr}`);
  return JSON.parse(stdout) as Step;
}

type Network = "resnet18" | "short";

let references: Readonly<Record<Network, Step>>;
beforeAll(() => {
  references = { resnet18: stepOf(["cpu", "resnet18"]), short: stepOf(["cpu", "short"]) };
}, 120_000);

/**
 * Against tfjs in plain JavaScript. Batch norm over few pixels magnifies differences of rounding: 1e-4 of
 * the update is usual, and a wrong gradient of any layer is a hundred times that.
 */
function expectAgreement(step: Step, network: Network = "resnet18"): void {
  const reference = references[network];
  for (const [name, value] of Object.entries(reference.first))
    expect(step.first[name], name).toBeCloseTo(value, 4);
  for (const [name, value] of Object.entries(reference.second))
    expect(step.second[name], name).toBeCloseTo(value, 3);
  const norm = Math.hypot(...reference.update);
  const difference = Math.hypot(...reference.update.map((value, i) => value - step.update[i]!));
  expect(step.update.length).toBe(reference.update.length);
  expect(difference / norm).toBeLessThan(1e-3);
  expect(step.leaked).toBe(0);
}

test.each(["resnet18", "short"] as const)("the reference trains: %s", (network) => {
  const reference = references[network];
  expect(reference.started).toEqual({ name: "cpu", threads: 1 });
  expect(reference.first["regularization"]).toBeGreaterThan(0);
  expect(reference.second["loss"]).not.toBe(reference.first["loss"]);
  expect(reference.leaked).toBe(0);
});

describe.each(["1", "2"])("simd with %s threads", (threads) => {
  test("agrees with cpu", () => {
    const step = stepOf(["simd", "resnet18", threads]);
    expect(step.started).toEqual({ name: "simd", threads: Number(threads) });
    expectAgreement(step);
  });
});

test("auto is simd", () => {
  expect(stepOf(["auto", "short"]).started).toEqual({ name: "simd", threads: 1 });
});

test("wasm agrees with cpu, with the filter gradient that it lacks", () => {
  const step = stepOf(["wasm", "resnet18"]);
  expect(step.started).toEqual({ name: "wasm", threads: 1 });
  expectAgreement(step);
});

test("backends follow one another in one process, as the runs of a sweep's worker do", async () => {
  const lines: string[] = [];
  const log = (line: string) => void lines.push(line);
  for (const [backend, threads, expected] of [
    ["simd", 1, 1],
    ["simd", 2, 2],
    ["cpu", 2, 1],
    ["wasm", 0, 1],
    ["simd", 2, 2],
  ] as const) {
    const started = await startBackend({ backend, threads, log });
    expect(started).toEqual({ name: backend, threads: expected });
    expect(tf.getBackend()).toBe(backend);
    expect([...(await tf.add([1, 2], [3, 4]).data())]).toEqual([4, 6]);
  }
  expect(lines).toEqual(["--threads 2: the backend cpu runs on one thread."]);
});

/** Chromium's Vulkan driver that needs no graphics card. */
const swiftShader = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"]
  .map((folder) => join(folder, "vk_swiftshader_icd.json"))
  .find((file) => existsSync(file));

test("webgpu agrees with cpu, on a software adapter", { timeout: 240_000 }, (context) => {
  if (swiftShader === undefined) skip(context, "needs chromium's SwiftShader");
  if (!isInstalled("webgpu")) skip(context, "needs npm install webgpu");
  const step = stepOf(["webgpu", "short"], {
    VK_ICD_FILENAMES: swiftShader,
    LD_LIBRARY_PATH: dirname(swiftShader!),
  });
  expect(step.started).toEqual({ name: "webgpu", threads: 1 });
  expectAgreement(step, "short");
});

describe.each(["node", "node-gpu"])("%s", (name) => {
  test("agrees with cpu", (context) => {
    const packageName = `@tensorflow/tfjs-${name}`;
    if (!isInstalled(packageName)) skip(context, `needs npm install ${packageName}`);
    const step = stepOf([name, "resnet18"]);
    expect(step.started).toEqual({ name, threads: 1 });
    expectAgreement(step);
  });

  test("is asked for in vain where it is not installed", (context) => {
    const packageName = `@tensorflow/tfjs-${name}`;
    if (isInstalled(packageName)) skip(context, `${packageName} is installed`);
    const { status, stderr } = runStep([name]);
    expect(status).toBe(1);
    expect(stderr).toContain(
      `--backend: ${name} needs a package that is not installed; npm install ${packageName}`,
    );
    expect(stderr).toContain("exitCode: 2");
  });
});

test("webgpu without a graphics adapter is one line", (context) => {
  if (!isInstalled("webgpu")) skip(context, "needs npm install webgpu");
  const { stderr } = runStep(["webgpu"], { VK_ICD_FILENAMES: "/no/driver.json" });
  expect(stderr).toMatch(
    /BackendError: --backend: webgpu does not start: no graphics adapter is found; install a graphics driver/,
  );
  expect(stderr).toContain("exitCode: 1");
});

function isInstalled(packageName: string): boolean {
  try {
    createRequire(import.meta.url).resolve(packageName);
    return true;
  } catch {
    return false;
  }
}

function skip(context: TestContext, reason: string): never {
  context.skip(reason);
}
