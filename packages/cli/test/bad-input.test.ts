import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeSafetensors, encodeSafetensors } from "@implicit-rank/array-files";
import { beforeAll, expect, test } from "vitest";
import { callMain, makeDataset, newFolder, removeFolder, runCli } from "./run-cli.ts";

let cwd = "";
let tensor = "";
let matrix = "";
beforeAll(async () => {
  cwd = await newFolder();
  [tensor, matrix] = await Promise.all([makeDataset(cwd, "tensor"), makeDataset(cwd, "matrix")]);
  await copyFile(tensor, join(cwd, "tensor.safetensors"));
  await copyFile(matrix, join(cwd, "matrix.safetensors"));
  await copyFile(tensor, join(cwd, "truncated.safetensors"));
  await truncate(join(cwd, "truncated.safetensors"), 700);
  await writeFile(join(cwd, "empty.safetensors"), "");
  await writeFile(join(cwd, "text.safetensors"), "these are words, and no tensors at all");
  await writeFile(join(cwd, "a_file"), "");
  await writeAltered("future.safetensors", { format_version: "99" });
  await writeAltered("other.safetensors", { format: "weights of a language model" });
  await writeAltered("altered.safetensors", {}, (targets) => (targets[0] = targets[0]! + 1));
  const start = process.cwd();
  return () => {
    process.chdir(start);
    return removeFolder(cwd);
  };
}, 60_000);

async function writeAltered(
  name: string,
  metadata: Readonly<Record<string, string>>,
  change: (targets: Float32Array) => void = () => undefined,
): Promise<void> {
  const file = decodeSafetensors(await readFile(tensor), tensor);
  change(file.arrays["targets"]!.data as Float32Array);
  const altered = { ...file, metadata: { ...file.metadata, ...metadata } };
  await writeFile(join(cwd, name), encodeSafetensors(altered));
}

const onTensor = ["--dataset_path", "tensor.safetensors", "--num_train_samples", "24"];
const cp = (...args: string[]): string[] => ["train", "cp", ...onTensor, ...args];
const ht = (...args: string[]): string[] => ["train", "ht", ...onTensor, ...args];
const file = (name: string): string[] => ["train", "cp", "--dataset_path", name];

/** What is typed, the exit code, and what the one line must name: flag or file, problem, remedy. */
const cases: readonly (readonly [readonly string[], 1 | 2, readonly (string | RegExp)[]])[] = [
  // Files
  [["train", "cp"], 2, ["--dataset_path", "required"]],
  [file("nowhere.safetensors"), 2, ["nowhere.safetensors", "no such file", "check the path"]],
  [file("truncated.safetensors"), 1, ["truncated.safetensors", /truncated|cut|bytes|end/, ";"]],
  [file("empty.safetensors"), 1, ["empty.safetensors", ";"]],
  [file("text.safetensors"), 1, ["text.safetensors", ";"]],
  [file("future.safetensors"), 1, ["future.safetensors", "99", /newer|update|version/]],
  [file("other.safetensors"), 2, ["other.safetensors", "format", ";"]],
  [
    file("altered.safetensors"),
    1,
    ["altered.safetensors", "content_sha256", "make the data set again"],
  ],
  [file("matrix.safetensors"), 2, ["--dataset_path", "matrix", "train mf"]],
  [["train", "mf", ...onTensor], 2, ["--dataset_path", "tensor", "train cp"]],
  [file("a_file"), 2, ["a_file", ".safetensors, .npz or .pt"]],
  [file("."), 2, [/\./, /extension|folder/]],
  [["runs", "show", "nowhere"], 2, ["nowhere", "run folder"]],
  [["runs", "show", "a_file"], 2, ["a_file", "run folder"]],
  [["runs", "resume", "nowhere"], 2, ["nowhere", "run folder"]],
  [["runs", "list", "nowhere"], 2, ["nowhere"]],
  [["data", "convert", "nowhere.npz", "x.safetensors"], 2, ["nowhere.npz", "no such file"]],
  [["data", "convert", "text.safetensors", "x.npz"], 1, ["text.safetensors", ";"]],
  [cp("--trainer_checkpoint", "nowhere"), 2, ["nowhere"]],
  // Sizes
  [["data", "tensor", "--order", "1"], 2, ["--order", "at least 2", "1"]],
  [["data", "tensor", "--order", "0"], 2, ["--order", "at least 2"]],
  [["data", "tensor", "--mode_dim_size", "-3"], 2, ["--mode_dim_size", "at least 1", "-3"]],
  [["data", "tensor", "--num_samples", "0"], 2, ["--num_samples", "at least 1"]],
  [["data", "tensor", "--order", "40"], 2, ["--order", "memory", "smaller"]],
  [["data", "tensor", "--target_init_std", "0"], 2, ["--target_init_std", "zeros"]],
  [["data", "matrix", "--num_rows", "0"], 2, ["--num_rows", "at least 1"]],
  [["data", "matrix", "--rank", "-1"], 2, ["--rank", "at least 1"]],
  [
    ["data", "matrix", "--num_rows", "3", "--use_symmetric_target"],
    2,
    ["--use_symmetric_target", "--num_cols"],
  ],
  [cp("--epochs", "0"), 2, ["--epochs", "at least 1"]],
  [cp("--num_cp_components", "0"), 2, ["--num_cp_components"]],
  [ht("--ht_layer_widths", "4", "0"), 2, ["--ht_layer_widths", "at least 1"]],
  [ht("--ht_pool_size", "1"), 2, ["--ht_pool_size", "at least 2"]],
  // Widths of the wrong length
  [ht("--ht_layer_widths", "4", "4", "4"), 2, ["--ht_layer_widths", "2", "3"]],
  [
    ["data", "tensor", "--target_tensor_factorization_type", "ht", "--target_tensor_ht_rank", "5"],
    2,
    ["--target_tensor_ht_rank", "give 2"],
  ],
  // More samples than there are
  [file("tensor.safetensors"), 2, ["--num_train_samples", "2048", "64"]],
  [cp("--num_test_samples", "50"), 2, ["--num_test_samples", "50", "40"]],
  // Unknown flags and values
  [cp("--num_train_sample", "3"), 2, ["--num_train_sample:", "did you mean --num_train_samples?"]],
  [["data", "matrix", "--ranks", "3"], 2, ["--ranks", "did you mean --rank?"]],
  [["runs", "list", "--epochs", "3"], 2, ["--epochs", "no such flag"]],
  [cp("--loss", "l3"), 2, ["--loss", "l2, l1, huber", "l3"]],
  [cp("--engine", "turbo"), 2, ["--engine", "plain", "fused", "tfjs"]],
  [ht("--ht_pool_pattern", "stripes"), 2, ["--ht_pool_pattern", "checkerboard, half"]],
  [["data", "tensor", "--task_type", "guessing"], 2, ["--task_type", "completion, sensing"]],
  [cp("--score_metric_name", "beauty"), 2, ["--score_metric_name", "beauty"]],
  [cp("--score_largest", "perhaps"), 2, ["--score_largest", "true or false"]],
  [cp("--save_checkpoints=perhaps"), 2, ["--save_checkpoints", "true or false"]],
  [["runs", "list", "--json=perhaps"], 2, ["--json", "true or false"]],
  [
    ht("--additional_matricizations_to_track", "0", "7"),
    2,
    ["--additional_matricizations_to_track", "7"],
  ],
  // Numbers
  ...["NaN", "nan", "Infinity", "1e400", "0x10", "0.1abc", "", " ", "1,5", "1_000"].map(
    (text) => [cp("--lr", text), 2 as const, ["--lr", "number"]] as const,
  ),
  ...["2.5", "1e400", "0x10", "12 apples", "9007199254740993"].map(
    (text) => [cp("--epochs", text), 2 as const, ["--epochs"]] as const,
  ),
  [cp("--lr", "-1"), 2, ["--lr", "greater than 0"]],
  [cp("--momentum", "1"), 2, ["--momentum", "less than 1"]],
  [cp("--random_seed", "-2"), 2, ["--random_seed", "-1"]],
  [["data", "matrix", "--seed", "1.5"], 2, ["--random_seed", "integer"]],
  [cp("--epochs"), 2, ["--epochs", "needs a value"]],
  // Folders that cannot be written
  [cp("--outputs_dir", "a_file"), 2, ["--outputs_dir", "a_file", "is a file", "choose another"]],
  [cp("--outputs_dir", "a_file/below"), 2, ["--outputs_dir", "a_file"]],
  [["data", "matrix", "--output_dir", "a_file"], 1, ["a_file", "--output_dir"]],
  [["data", "matrix", "--custom_file_name", "../up"], 2, ["--custom_file_name", "--output_dir"]],
  [["data", "convert", "tensor.safetensors", "missing/x.npz"], 2, ["missing/x.npz", "folder"]],
  [cp("--experiment_name", "a/b"), 2, ["--experiment_name", "/"]],
];

/** All files below the folder, to see that none was added. */
async function contents(): Promise<readonly string[]> {
  const entries = await readdir(cwd, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => join(entry.parentPath, entry.name)).sort();
}

// Most cases run without the start of a process, which would take most of the time.
const callIn = (folder: string, args: readonly string[]) => {
  process.chdir(folder);
  return callMain(args);
};

test.each(cases.map((one, index) => [...one, index % 8 === 0 ? "process" : "call"] as const))(
  "%j",
  async (args, code, parts, how) => {
    const before = await contents();
    const ended = how === "call" ? await callIn(cwd, args) : await runCli(args, { cwd });
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toMatch(/^error: [^\n]+\n$/);
    for (const part of parts) expect(ended.stderr).toMatch(part);
    expect(await contents()).toEqual(before);
  },
);

test("a run folder whose files are damaged is refused by show and resume, and listed as damaged", async () => {
  const made = await runCli(
    [...cp("--num_cp_components", "3", "--epochs", "2", "--outputs_dir", "runs", "--quiet")],
    { cwd },
  );
  const folder = made.stdout.trim();
  await truncate(join(cwd, folder, "config.json"), 30);
  for (const command of ["show", "resume"]) {
    const { code, stdout, stderr } = await runCli(["runs", command, folder], { cwd });
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
    expect(stderr).toMatch(/^error: .*config\.json: is not valid JSON.*\n$/);
  }
  const listed = await runCli(["runs", "list", "runs"], { cwd });
  expect(listed.code).toBe(0);
  expect(listed.stdout).toContain("damaged");
  expect(listed.stderr).toContain("config.json");
});

test("a folder of another user is refused", async (context) => {
  const isRoot = process.getuid?.() === 0;
  const nobody = { uid: 65_534, gid: 65_534 };
  const probe = isRoot
    ? await runCli(["--version"], { cwd: "/", ...nobody }).catch(() => undefined)
    : undefined;
  if (isRoot && probe?.code !== 0) {
    context.skip("root may write everywhere, and another user cannot read this checkout");
  }
  const locked = join(cwd, "locked");
  await mkdir(locked, { mode: 0o555 });
  const other = isRoot ? nobody : {};
  const options = { cwd: "/", ...other };
  const written = await runCli(["data", "matrix", "--output_dir", locked], options);
  expect({ code: written.code, stdout: written.stdout }).toEqual({ code: 1, stdout: "" });
  expect(written.stderr).toMatch(/^error: .*locked: .*(permission denied|EACCES).*\n$/i);
  expect(existsSync(join(locked, "mf"))).toBe(false);
  expect(await readdir(locked)).toEqual([]);
});

test("a disk that is full leaves no file behind", async (context) => {
  if (process.platform === "win32") context.skip("needs a limit on the size of files");
  const script = `ulimit -f 8; exec "$0" "$@"`;
  const { bin } = await import("./run-cli.ts");
  const { spawnSync } = await import("node:child_process");
  const folder = join(cwd, "full");
  const args = ["-c", script, process.execPath, bin, "data", "matrix", "--output_dir", folder];
  const { status, stderr } = spawnSync("bash", args, { cwd, encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toMatch(/^error: .*full.*cannot write.*; .*\n$/);
  expect(await readdir(folder)).toEqual([]);
});
