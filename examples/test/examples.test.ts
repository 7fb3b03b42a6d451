import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { expect, onTestFinished, test } from "vitest";

/** Runs an example as a reader would, with a temporary folder of its own; returns what it prints. */
async function runExample(name: string, ...args: readonly string[]): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), "implicit-rank example "));
  onTestFinished(() => rm(scratch, { recursive: true, force: true }));
  const options = {
    cwd: join(import.meta.dirname, ".."),
    env: { ...process.env, TMPDIR: scratch },
  };
  const { stdout } = await promisify(execFile)(process.execPath, [name, ...args], options);
  return stdout;
}

/** Each line that README.md shows under a heading is printed, though other processors may round otherwise. */
async function expectShown(heading: string, printed: string): Promise<void> {
  const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
  const section = readme.split(/^## /m).find((text) => text.startsWith(heading))!;
  const blocks = [...section.matchAll(/^```text\n(.*?)^```/gms)].map(([, block]) => block!);
  expect(blocks).not.toEqual([]);
  const withoutNumbers = (line: string): string => line.replaceAll(/[\d.]+/g, "#").trim();
  const lines = printed.split("\n").map(withoutNumbers);
  for (const line of blocks.flatMap((block) => block.trimEnd().split("\n")))
    expect(lines).toContain(withoutNumbers(line));
}

const numberAfter = (text: string, label: string): number =>
  Number(text.slice(text.indexOf(label) + label.length).match(/[\d.e+-]+/)?.[0]);

test("complete-tensor.ts completes the entries that it has not seen", async () => {
  const printed = await runExample("complete-tensor.ts");
  // The values have a deviation of about 0.5; entries that were not seen must be near, too.
  expect(numberAfter(printed, "over all 216 entries:")).toBeLessThan(0.05);
});

test("mode-tree.ts draws the tree and names the metrics along it", async () => {
  const printed = await runExample("mode-tree.ts");
  expect(printed).toContain("root {0, 1, 2, 3, 4}");
  expect(printed).toContain("├─ {0, 1, 2, 3}  l 2 f 0");
  // Rank 3 at most, by the widths.
  const rank = numberAfter(printed, "mat_0_1_eff_rank:");
  expect(rank).toBeGreaterThan(1);
  expect(rank).toBeLessThanOrEqual(3);
  expect(printed).toContain("mat_0_2_eff_rank:");
});

test("own-experiment.ts trains to the target, slowly at first", async () => {
  const printed = await runExample("own-experiment.ts");
  expect(numberAfter(printed, "epoch 19: product")).toBeLessThan(0.1);
  expect(numberAfter(printed, "epoch 119: product")).toBeCloseTo(1, 3);
});

test("own-cnn.ts trains a network of the user's with the regularizer", async () => {
  const printed = await runExample("own-cnn.ts");
  const changeAt = (step: number) => {
    const line = printed.slice(printed.indexOf(`step ${step}:`));
    return numberAfter(line, "input gradient change");
  };
  // The network begins local, and the regularizer makes the ends interact.
  expect(changeAt(0)).toBeGreaterThan(0.9);
  expect(changeAt(60)).toBeLessThan(0.85);
});

test.for(["simd", "cpu"])(
  "tfjs-loop.ts trains a factorization among other layers, on %s",
  async (backend) => {
    const printed = await runExample("tfjs-loop.ts", backend);
    await expectShown("Inside a TensorFlow.js model", printed);
    const [small, large] = printed.split("start 0.3") as [string, string];
    for (const run of [small, large]) {
      expect(numberAfter(run, "step 0: loss")).toBeGreaterThan(0.6);
      expect(numberAfter(run, "step 100: loss")).toBeLessThan(0.2);
      expect(numberAfter(run, "accuracy on unseen digits")).toBeGreaterThan(90);
    }
    // Both classify, but only the small start leaves the halves of the image hardly entangled.
    expect(numberAfter(small, "between upper and lower half")).toBeLessThan(1.5);
    expect(numberAfter(large, "between upper and lower half")).toBeGreaterThan(2);
  },
);

test("complete-temperatures.ts is better than effects of the modes, and grows by components", async () => {
  const printed = await runExample("complete-temperatures.ts");
  await expectShown("A real tensor", printed);
  const errorsOf = (method: string): readonly [number, number] => {
    const line = printed.split("\n").find((text) => text.startsWith(method))!;
    return line.slice(18).trim().split(/ +/).map(Number) as [number, number];
  };
  const [product, line, cp, hierarchical] = [
    "product of effects",
    "line over days",
    "CP ",
    "hierarchical (HT)",
  ].map(errorsOf) as [[number, number], [number, number], [number, number], [number, number]];
  for (const share of [0, 1] as const) {
    expect(cp[share]).toBeLessThan(product[share] / 2);
    expect(hierarchical[share]).toBeLessThan(0.7 * product[share]);
  }
  // What knows that days have an order is better where many are known, and no better where few are.
  expect(line[0]).toBeLessThan(cp[0]);
  expect(cp[1]).toBeLessThan(1.1 * line[1]);

  const normsAt = (step: number): number[] => {
    const row = new RegExp(`step +${step}: .*\\|(.*)`).exec(printed)![1]!;
    return row.trim().split(/ +/).map(Number);
  };
  const largeAt = (step: number): number => normsAt(step).filter((norm) => norm > 5).length;
  expect([0, 1600, 8000].map(largeAt)).toEqual([0, 1, 2]);
});

test("mnist-digits.ts writes all 10,000 digits as idx files", async () => {
  const folder = await mkdtemp(join(tmpdir(), "implicit-rank digits "));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const example = join(import.meta.dirname, "../mnist-digits.ts");
  await promisify(execFile)(process.execPath, [example, folder]);
  expect(await readdir(folder)).toHaveLength(4);
  const split = async (prefix: string) => {
    const images = await readFile(join(folder, `${prefix}-images-idx3-ubyte`));
    const labels = await readFile(join(folder, `${prefix}-labels-idx1-ubyte`));
    const count = images.readUInt32BE(4);
    expect([images.readUInt32BE(0), images.length]).toEqual([0x803, 16 + count * 784]);
    expect([labels.readUInt32BE(0), labels.readUInt32BE(4)]).toEqual([0x801, count]);
    expect(new Set(labels.subarray(8))).toEqual(new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]));
    return count;
  };
  expect((await split("train")) + (await split("t10k"))).toBe(10_000);
});

test("README.md names every example", async () => {
  const folder = join(import.meta.dirname, "..");
  const readme = await readFile(join(folder, "README.md"), "utf8");
  const entries = await readdir(folder, { withFileTypes: true });
  const others = new Set(["dist", "node_modules", "test", "test-results", "vitest.config.ts"]);
  const examples = entries
    .filter(
      (entry) => !others.has(entry.name) && (entry.isDirectory() || entry.name.endsWith(".ts")),
    )
    .map(({ name }) => name);
  expect(examples.length).toBeGreaterThan(8);
  for (const name of examples) expect(readme).toMatch(new RegExp(`\\(${name}\\)`));
});
