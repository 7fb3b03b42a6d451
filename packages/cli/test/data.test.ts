import { existsSync } from "node:fs";
import { copyFile, readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { readNpz, readSafetensors } from "@implicit-rank/array-files";
import { readFactorizationDataset } from "@implicit-rank/datasets";
import { hierarchicalSpec, numHiddenLayers } from "@implicit-rank/tensor-factorization";
import { expect, test } from "vitest";
import { makeDataset, runCli, runJson, scratchFolder, tinyMatrix } from "./run-cli.ts";

test("data matrix writes a data set, and says where it is, its hash and what comes next", async () => {
  const cwd = await scratchFolder();
  const args = ["data", "matrix", "--num-rows", "6", "--num-cols=5", "--rank", "2", "--seed", "3"];
  const { code, stdout, stderr } = await runCli(args, { cwd });
  expect(code).toBe(0);
  expect(stderr).toContain("--num_samples: 4096 asked for; the target has 30 entries");
  const [path, ...lines] = stdout.split("\n");
  expect(path).toMatch(
    /^data\/mf\/completion_rank_2_6x5_fro_64_\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d\.safetensors$/,
  );
  const dataset = await readFactorizationDataset(join(cwd, path!));
  expect(dataset).toMatchObject({ kind: "matrix", modeSizes: [6, 5], samples: 30 });
  expect(lines.join("\n")).toContain(`content sha256 ${dataset.contentHash}`);
  expect(lines.join("\n")).toContain(`Next: implicit-rank train mf --dataset_path ${path}`);
  expect(await readdir(join(cwd, "data", "mf"))).toHaveLength(1);
});

test("--json prints one document, --quiet the path alone", async () => {
  const cwd = await scratchFolder();
  const made = await runJson(["data", "matrix", ...tinyMatrix, "--seed", "3"], { cwd });
  expect(made).toMatchObject({ kind: "matrix", task: "completion", mode_sizes: [6, 5], seed: 3 });
  expect(made.bytes).toBe((await stat(join(cwd, made.path))).size);
  expect(made.frobenius_norm).toBeCloseTo(64, 4);
  expect(made.singular_values[2]).toBeLessThan(1e-4 * made.singular_values[0]);
  const quiet = await runCli(["data", "matrix", ...tinyMatrix, "--quiet"], { cwd });
  expect(quiet).toMatchObject({ code: 0, stderr: "" });
  expect(existsSync(join(cwd, quiet.stdout.trimEnd()))).toBe(true);
});

test("the same seed makes the same content; -1 draws a seed and records it", async () => {
  const cwd = await scratchFolder();
  const make = (...flags: string[]) =>
    runJson(["data", "tensor", "--mode_dim_size", "4", "--num_samples", "20", ...flags], { cwd });
  const [first, again, other, drawn] = await Promise.all([
    make("--random_seed", "5"),
    make("--seed=5"),
    make("--seed=6"),
    make(),
  ]);
  expect(again.sha256).toBe(first.sha256);
  expect(other.sha256).not.toBe(first.sha256);
  expect(drawn.seed).toBeGreaterThanOrEqual(0);
  expect((await make("--seed", String(drawn.seed))).sha256).toBe(drawn.sha256);
});

test.each([
  ["cp", ["--target_tensor_cp_rank", "2"], "tc_cpr_2_ord_3_d_4_fro_64_"],
  [
    "ht",
    ["--target_tensor_factorization_type", "ht", "--target_tensor_ht_rank", "3", "2"],
    "tc_htr_3_2_pl_2c_ord_3_d_4_fro_64_",
  ],
])("data tensor draws a %s target of the norm asked for", async (_, flags, name) => {
  const cwd = await scratchFolder();
  const path = await makeDataset(cwd, "tensor", flags);
  expect(path).toContain(`${join(cwd, "data", "tc", "sens")}/${name}`);
  const { targetTensor, indices, targets } = await readFactorizationDataset(path);
  expect(Math.hypot(...targetTensor!)).toBeCloseTo(64, 3);
  targets.forEach((target, sample) => {
    const [i, j, k] = indices!.subarray(3 * sample, 3 * sample + 3);
    expect(target).toBe(targetTensor![(i! * 4 + j!) * 4 + k!]);
  });
});

test("sensing measures the target by the inner product with the inputs", async () => {
  const cwd = await scratchFolder();
  const flags = ["--task_type", "sensing", "--num_samples", "9"];
  const { targetTensor, inputs, targets } = await readFactorizationDataset(
    await makeDataset(cwd, "tensor", flags),
  );
  targets.forEach((target, sample) => {
    const input = inputs!.subarray(12 * sample, 12 * (sample + 1));
    let sum = 0;
    targetTensor!.forEach((entry, index) => {
      const [i, j, k] = [index >> 4, (index >> 2) & 3, index & 3];
      sum += entry * input[i]! * input[4 + j]! * input[8 + k]!;
    });
    // float32 parameters and sums of 64 terms: a few units in the last place of the largest term.
    expect(target).toBeCloseTo(sum, 3);
  });
});

test("data convert goes to npz and back without a change, and never overwrites unasked", async () => {
  const cwd = await scratchFolder();
  const path = await makeDataset(cwd, "matrix");
  const there = await runJson(["data", "convert", path, "a.npz"], { cwd });
  const back = await runJson(["data", "convert", "a.npz", "b.safetensors"], { cwd });
  expect(there.sha256).toBe(back.sha256);
  expect(await readSafetensors(join(cwd, "b.safetensors"))).toEqual(await readSafetensors(path));
  expect(Object.keys((await readNpz(join(cwd, "a.npz"))).arrays)).toContain("targets");
  expect((await readFactorizationDataset(join(cwd, "b.safetensors"))).contentHash).toBe(
    back.sha256,
  );

  await copyFile(join(cwd, "a.npz"), join(cwd, "kept.npz"));
  const refused = await runCli(["data", "convert", path, "kept.npz"], { cwd });
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toMatch(/^error: kept\.npz: .*exists.*\n$/);
  const forced = await runCli(["data", "convert", "b.safetensors", "kept.npz", "--force"], { cwd });
  expect(forced.code).toBe(0);
  expect(await readFile(join(cwd, "kept.npz"))).toEqual(await readFile(join(cwd, "a.npz")));
});

test.each([
  ["pytorch-matrix-completion.pt", "mf", 3],
  ["pytorch-tensor-sensing.pt", "ht", 2],
])(
  "data convert takes %s of the Python scripts, which train takes as it is, too",
  async (name, model, layers) => {
    const cwd = await scratchFolder();
    const fixture = join(import.meta.dirname, "..", "..", "datasets", "test", "fixtures", name);
    const { path, sha256 } = await runJson(["data", "convert", fixture, "a.safetensors"], { cwd });
    const original = await readFactorizationDataset(fixture);
    const converted = await readFactorizationDataset(join(cwd, path));
    expect(converted.contentHash).toBe(sha256);
    expect(converted).toEqual(original);

    const widths =
      model === "ht" ? ["--ht_layer_widths", ...new Array<string>(layers).fill("3")] : [];
    const flags = ["--num_train_samples", "5", "--epochs", "3", "--seed", "1", ...widths];
    const scores = [];
    for (const dataset of [fixture, path]) {
      scores.push(
        (await runJson(["train", model, "--dataset_path", dataset, ...flags], { cwd })).score,
      );
    }
    expect(scores[1]).toBe(scores[0]);
  },
);

test.each([
  ["pytorch-is-same.pt", { pairs: [3, 2], labels: [3] }],
  [
    "pytorch-pathfinder.pt",
    {
      train_images: [7, 1, 16, 16],
      train_labels: [7, 1],
      train_indices: [7],
      test_images: [5, 1, 16, 16],
      test_labels: [5, 1],
      test_indices: [5],
    },
  ],
])("data convert takes the image set %s of the Python scripts", async (name, shapes) => {
  const cwd = await scratchFolder();
  const fixture = join(import.meta.dirname, "..", "..", "datasets", "test", "fixtures", name);
  const made = await runJson(["data", "convert", fixture, "a.safetensors"], { cwd });
  const { arrays, metadata } = await readSafetensors(join(cwd, "a.safetensors"));
  expect(
    Object.fromEntries(Object.entries(arrays).map(([key, { shape }]) => [key, shape])),
  ).toEqual(shapes);
  expect(metadata.content_sha256).toBe(made.sha256);
  const other = await runJson(["data", "convert", fixture, "a.npz"], { cwd });
  expect(other.sha256).toBe(made.sha256);
});

test("train pathfinder trains on a converted set of the Python scripts, and says how to convert one", async () => {
  const cwd = await scratchFolder();
  const fixtures = join(import.meta.dirname, "..", "..", "datasets", "test", "fixtures");
  await copyFile(join(fixtures, "pytorch-pathfinder.pt"), join(cwd, "nine.pt"));
  const flags = "--model_width 4 --model_stem small --epochs 1 --batch_size 4 --seed 1 --threads 1";
  const train = ["train", "pathfinder", ...flags.split(" "), "--dataset_path"];
  const refused = await runCli([...train, "nine.pt"], { cwd });
  expect(refused.code).toBe(2);
  expect(refused.stderr).toBe(
    `error: ${join(cwd, "nine.pt")}: is a file of PyTorch; make a data set of it with "implicit-rank data convert"\n`,
  );
  await runJson(["data", "convert", "nine.pt", "nine.safetensors"], { cwd });
  expect(await runJson([...train, "nine.safetensors"], { cwd })).toMatchObject({
    outcome: "completed",
    summary: { epochs_run: 1 },
  });
});

test.each([
  ["a.txt", "b.npz", "a.txt: cannot be read: give a .safetensors, .npz, .pt, .pth or .ckpt file"],
  ["a.npz", "b.pt", "b.pt: cannot be written: give a name that ends in .safetensors or .npz"],
])("data convert %s %s is refused", async (input, output, message) => {
  const { code, stderr } = await runCli(["data", "convert", input, output]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: `error: ${message}\n` });
});

test("the mode tree decides how many hierarchical ranks are needed, in generator and model alike", () => {
  for (const [order, poolSize] of [
    [3, 2],
    [5, 2],
    [9, 3],
    [7, 4],
  ] as const) {
    const modeSizes = new Array<number>(order).fill(2);
    const layers = numHiddenLayers(order, poolSize);
    const widths = new Array<number>(layers).fill(2);
    expect(hierarchicalSpec({ modeSizes, widths, poolSize }).widths).toHaveLength(layers);
  }
});
