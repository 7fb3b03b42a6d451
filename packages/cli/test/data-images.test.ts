import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeGrayPng, readIsSameDataset } from "@implicit-rank/datasets";
import { expect, test } from "vitest";
import { runCli, runJson, scratchFolder, startCli } from "./run-cli.ts";

const small = ["--window_size", "120", "120", "--padding", "8", "--seed-distance=15"];

test("data pathfinder-raw and data pathfinder make images and sets of them", async () => {
  const cwd = await scratchFolder();
  const args = ["data", "pathfinder-raw", "--num_samples", "12", "--path-lengths", "3", "4"];
  const raw = await runCli([...args, ...small, "--seed", "5"], { cwd });
  expect(raw.code).toBe(0);
  expect(raw.stderr).toContain("12 of 12 images of length 4");
  expect(raw.stdout.split("\n").slice(0, 3)).toEqual([
    "data/pathfinder/raw/curv_contour_length_3",
    "data/pathfinder/raw/curv_contour_length_4",
    "  24 images made, seed 5",
  ]);
  const again = await runJson([...args, ...small], { cwd });
  expect(again).toMatchObject({ seed: 5, images: 24, made: 0, kept: 24 });

  const command =
    "data pathfinder --dataset_path data/pathfinder/raw --num_train_samples 6 --num_test_samples 6";
  expect(raw.stdout).toContain(`Next: implicit-rank ${command}`);
  const { sets } = await runJson(command.split(" "), { cwd });
  expect(sets).toMatchObject([
    { path: expect.stringContaining("path_length_3_n_train_examples_6") as string, path_length: 3 },
    { path_length: 4 },
  ]);
  const refused = await runCli(command.split(" "), { cwd });
  expect(refused).toMatchObject({ code: 2, stdout: "" });
  expect(refused.stderr).toContain("the file exists already; choose another name or pass --force");
  expect(await runCli([...command.split(" "), "--force", "--quiet"], { cwd })).toMatchObject({
    code: 0,
    stderr: "",
  });
});

test("Ctrl-C stops data pathfinder-raw; the same command goes on", async () => {
  const cwd = await scratchFolder();
  const args = [
    "data",
    "pathfinder-raw",
    "--num_samples",
    "2000",
    "--path_lengths",
    "3",
    ...small,
    "--workers",
    "1",
  ];
  const { child, ended } = startCli(args, { cwd });
  await new Promise((resolve) => child.stderr!.once("data", resolve));
  child.kill("SIGINT");
  const { code, stderr } = await ended;
  expect(code).toBe(130);
  expect(stderr).toContain("interrupted: the same command goes on where this one stopped");
  const folder = join(cwd, "data/pathfinder/raw/curv_contour_length_3");
  expect(await readdir(folder)).not.toContain("metadata.npy");
  const there = (await readdir(join(folder, "imgs"))).length;
  const fewer = args.map((arg) => (arg === "2000" ? String(there + 4) : arg));
  expect(await runJson(fewer, { cwd })).toMatchObject({ kept: there, made: 4 });
});

test("data is-same draws pairs of a folder's images, with a preview", async () => {
  const cwd = await scratchFolder();
  for (const [name, brightness] of [
    ["dark", 20],
    ["light", 220],
  ] as const) {
    await mkdir(join(cwd, "images", name), { recursive: true });
    for (let i = 0; i < 3; i++) {
      const pixels = new Uint8Array(64).fill(brightness + i);
      await writeFile(
        join(cwd, "images", name, `${i}.png`),
        encodeGrayPng({ size: [8, 8], pixels }),
      );
    }
  }
  const args = ["data", "is-same", "--source", "folder", "--source_dir", "images", "--train"];
  const made = await runJson([...args, "--num_samples", "9", "--preview", "--seed", "2"], { cwd });
  expect(made).toMatchObject({ samples: 9, seed: 2 });
  expect(made.path).toMatch(
    /^data\/is_same\/folder_is_same_train_s_9_\d{4}(_\d\d){2}-(\d\d_){2}\d\d\.safetensors$/,
  );
  expect((await readFile(join(cwd, made.preview_path))).subarray(1, 4).toString()).toBe("PNG");
  const { labels } = await readIsSameDataset(join(cwd, made.path));
  expect(labels.reduce((sum, label) => sum + label, 0)).toBe(made.positives);
});

test.each([
  [["data", "is-same"], "data/cifar10: CIFAR-10 is not there; put cifar-10-binary.tar.gz"],
  [["data", "is-same", "--source", "imagenet"], "--source"],
  [["data", "pathfinder-raw"], "--num_samples"],
  [
    ["data", "pathfinder-raw", "--num_samples", "1", "--window_size", "50", "50"],
    "--window_size: 50 × 50 pixels leave no room",
  ],
  [
    [
      "data",
      "pathfinder",
      "--num_train_samples",
      "1",
      "--num_test_samples",
      "1",
      "--dataset_path",
      "none",
    ],
    "--dataset_path: none is no folder",
  ],
])("%j is refused in one line with exit code 2", async (args, message) => {
  const { code, stdout, stderr } = await runCli(args, { cwd: await scratchFolder() });
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toContain(message);
  expect(stderr.trimEnd().split("\n")).toHaveLength(1);
});
