import { spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  contentHash,
  readSafetensors,
  withChecksum,
  writeSafetensors,
  type NamedArray,
} from "@implicit-rank/array-files";
import {
  generateMatrixDataset,
  generateTensorDataset,
  readFactorizationDataset,
  saveFactorizationDataset,
  writeFactorizationDataset,
  type FactorizationDataset,
} from "../../src/index.ts";
import { findPython, runPython } from "../python.ts";
import { useTemporaryFolder } from "../temporary-folder.ts";
import { cpTarget } from "./cp-target.ts";

const temporary = useTemporaryFolder();

const matrix = (task_type: "completion" | "sensing") =>
  generateMatrixDataset({ task_type, num_rows: 4, num_cols: 5, num_samples: 6, random_seed: 1 });
const tensor = (task_type: "completion" | "sensing") =>
  generateTensorDataset(
    { task_type, order: 3, mode_dim_size: 4, num_samples: 6, random_seed: 1 },
    cpTarget([4, 4, 4], 2),
  );

const sets: readonly [string, FactorizationDataset][] = [
  ["matrix completion", matrix("completion")],
  ["matrix sensing", matrix("sensing")],
  ["tensor completion", tensor("completion")],
  ["tensor sensing", tensor("sensing")],
];

describe.each(sets)("%s", (_, dataset) => {
  it.each([".safetensors", ".npz"])("comes back from %s exactly", async (extension) => {
    const path = temporary(`set${extension}`);
    await writeFactorizationDataset(path, dataset);
    const { contentHash: hash, ...read } = await readFactorizationDataset(path);
    expect(read).toEqual(dataset);
    expect(hash).toMatch(/^[0-9a-f]{64}$/);
  });

  it("has the same hash in both formats", async () => {
    await writeFactorizationDataset(temporary("a.safetensors"), dataset);
    await writeFactorizationDataset(temporary("a.npz"), dataset);
    const a = await readFactorizationDataset(temporary("a.safetensors"));
    const b = await readFactorizationDataset(temporary("a.npz"));
    expect(a.contentHash).toBe(b.contentHash);
  });

  it("gives the same bytes each time", async () => {
    await writeFactorizationDataset(temporary("a.safetensors"), dataset);
    await writeFactorizationDataset(temporary("b.safetensors"), dataset);
    const [a, b] = [
      await readFile(temporary("a.safetensors")),
      await readFile(temporary("b.safetensors")),
    ];
    expect(a.equals(b)).toBe(true);
  });
});

describe("saving", () => {
  it("makes the folder and never takes a name twice", async () => {
    const folder = temporary("deep/er");
    const dataset = matrix("completion");
    const paths = [];
    for (let i = 0; i < 3; i++) paths.push(await saveFactorizationDataset(folder, "set", dataset));
    expect(paths).toEqual(
      ["set", "set_2", "set_3"].map((name) => temporary(`deep/er/${name}.safetensors`)),
    );
    expect((await readdir(folder)).length).toBe(3);
  });

  it("says when the folder cannot be made", async () => {
    await writeFile(temporary("file"), "");
    await expect(
      saveFactorizationDataset(temporary("file/x"), "set", matrix("sensing")),
    ).rejects.toMatchObject({
      message: `${temporary("file/x")}: cannot create the folder (ENOTDIR); choose a folder you may write to with --output_dir`,
      exitCode: 1,
    });
  });

  it("refuses an existing file unless told otherwise", async () => {
    const path = temporary("a.safetensors");
    await writeFile(path, "precious");
    await expect(writeFactorizationDataset(path, matrix("sensing"))).rejects.toMatchObject({
      message: `${path}: the file exists already; choose another name or pass --force to replace it`,
      exitCode: 2,
    });
    expect(await readFile(path, "utf8")).toBe("precious");
    await writeFactorizationDataset(path, matrix("sensing"), { overwrite: true });
    expect((await readFactorizationDataset(path)).task).toBe("sensing");
  });

  it("refuses other extensions", async () => {
    await expect(
      writeFactorizationDataset(temporary("a.csv"), matrix("sensing")),
    ).rejects.toMatchObject({
      message: `${temporary("a.csv")}: the extension ".csv" is not known; data sets are written as .safetensors or .npz files`,
      exitCode: 2,
    });
  });

  const library = new URL("../../src/index.ts", import.meta.url).href;
  const saveIn = (folder: string, before = "") => [
    "--input-type=module",
    "--disable-warning=ExperimentalWarning",
    "-e",
    `const { generateMatrixDataset, saveFactorizationDataset } = await import(${JSON.stringify(library)});
     ${before}
     await saveFactorizationDataset(${JSON.stringify(folder)}, "set", generateMatrixDataset({ random_seed: 1 }))
       .then(console.log, (error) => console.log(error.exitCode + " " + error.message));`,
  ];

  it("into a folder that is not writable leaves nothing", async () => {
    await mkdir(temporary("locked"));
    await chmod(temporary("locked"), 0o555);
    await chmod(temporary(""), 0o755);
    const becomeNobody = "if (process.getuid() === 0) process.seteuid(65534);";
    const child = spawnSync(process.execPath, saveIn(temporary("locked"), becomeNobody), {
      encoding: "utf8",
    });
    expect(child.stdout).toBe(
      `1 ${temporary("locked/set.safetensors")}: cannot write: permission denied; choose a folder you may write to\n`,
    );
    expect(await readdir(temporary("locked"))).toEqual([]);
  });

  const mounts = spawnSync("unshare", ["-rm", "sh", "-c", "mount -t tmpfs none /mnt"]).status === 0;
  if (!mounts) console.warn("SKIPPED: full disk (mounting a small disk is not allowed here)");

  it("on a full disk leaves nothing", async ({ skip }) => {
    if (!mounts) skip("needs the right to mount a small file system (unshare -rm)");
    await mkdir(temporary("disk"));
    const script = `mount -t tmpfs -o size=32k none "${temporary("disk")}" && "$0" "$@" && ls -A "${temporary("disk")}"`;
    const child = spawnSync(
      "unshare",
      ["-rm", "sh", "-c", script, process.execPath, ...saveIn(temporary("disk"))],
      { encoding: "utf8" },
    );
    expect(child.stdout).toBe(
      `1 ${temporary("disk/set.safetensors")}: cannot write: the disk is full; free space or choose another folder\n`,
    );
  });
});

const failure = async (name: string) =>
  readFactorizationDataset(temporary(name)).then(
    () => {
      throw new Error("was read");
    },
    (error: unknown) => error,
  );

describe("reading refuses", () => {
  it("a missing file", async () => {
    expect(await failure("none.safetensors")).toMatchObject({
      message: `${temporary("none.safetensors")}: cannot read: no such file; check the path`,
      exitCode: 2,
    });
  });

  it("a folder", async () => {
    await mkdir(temporary("folder.safetensors"));
    expect(await failure("folder.safetensors")).toMatchObject({
      message: `${temporary("folder.safetensors")}: cannot read: it is a folder; give the path of a file`,
      exitCode: 2,
    });
  });

  it("an unknown extension", async () => {
    await writeFile(temporary("a.csv"), "");
    expect(await failure("a.csv")).toMatchObject({
      message: `${temporary("a.csv")}: the extension ".csv" is not known; data sets are read from .safetensors, .npz or .pt files`,
      exitCode: 2,
    });
  });

  it.each([".safetensors", ".npz"])("a truncated %s", async (extension) => {
    const path = temporary(`a${extension}`);
    await writeFactorizationDataset(path, matrix("sensing"));
    await truncate(path, (await stat(path)).size - 1);
    expect(await failure(`a${extension}`)).toMatchObject({
      message: expect.stringMatching(/^[^\n]*(is truncated|is missing)[^\n]*; [^\n]+$/) as string,
      exitCode: 1,
    });
  });

  it("an array file of another kind", async () => {
    await writeSafetensors(temporary("checkpoint.safetensors"), {
      arrays: { weights: { shape: [1], data: Float32Array.of(1) } },
      metadata: { format: "implicit-rank checkpoint" },
    });
    expect(await failure("checkpoint.safetensors")).toMatchObject({
      message: `${temporary("checkpoint.safetensors")}: format: not a data set of implicit-rank; make one with "implicit-rank data matrix" or "data tensor"`,
      exitCode: 2,
    });
  });
});

describe("a file that was altered is refused", () => {
  /** The message for a data set file with changed metadata or arrays, its hash made to fit. */
  async function altered(
    dataset: FactorizationDataset,
    metadata: Record<string, string>,
    arrays: Record<string, NamedArray | undefined> = {},
  ): Promise<string> {
    await writeFactorizationDataset(temporary("good.safetensors"), dataset, { overwrite: true });
    const good = await readSafetensors(temporary("good.safetensors"));
    const changed = Object.fromEntries(
      Object.entries({ ...good.arrays, ...arrays }).filter((entry) => entry[1] !== undefined),
    ) as Record<string, NamedArray>;
    const hash = contentHash({ arrays: changed });
    await writeSafetensors(
      temporary("bad.safetensors"),
      {
        arrays: changed,
        metadata: withChecksum({ ...good.metadata, content_sha256: hash, ...metadata }),
      },
      { overwrite: true },
    );
    const error = (await failure("bad.safetensors")) as Error & { exitCode: number };
    expect(error.exitCode).toBe(1);
    expect(error.message.startsWith(`${temporary("bad.safetensors")}: `)).toBe(true);
    return error.message.slice(`${temporary("bad.safetensors")}: `.length);
  }

  it("a file of a later version", async () => {
    expect(await altered(matrix("sensing"), { format_version: "2" })).toBe(
      'format_version: "2" is not known to this version (1 is); upgrade implicit-rank',
    );
  });

  it("metadata that were edited", async () => {
    const path = temporary("edited.safetensors");
    await writeFactorizationDataset(path, matrix("completion"));
    const { arrays, metadata } = await readSafetensors(path);
    const provenance = metadata["provenance"]!.replace(/\d/, (digit) => String((+digit + 1) % 10));
    const edited = { arrays, metadata: { ...metadata, provenance } };
    await writeSafetensors(path, edited, { overwrite: true });
    expect(await failure("edited.safetensors")).toMatchObject({
      message: `${path}: checksum: does not fit the metadata, the file was altered; make the data set again`,
      exitCode: 1,
    });
  });

  it("metadata that contradict or make no sense", async () => {
    const again = "; make the data set again";
    const set = matrix("completion");
    expect(await altered(set, { content_sha256: "0" })).toBe(
      `content_sha256: does not match the arrays, the file was altered${again}`,
    );
    expect(await altered(set, { kind: "graph" })).toBe(`kind: must be matrix or tensor${again}`);
    expect(await altered(set, { task: "" })).toBe(`task: must be completion or sensing${again}`);
    expect(await altered(set, { mode_sizes: "4,5" })).toBe(`mode_sizes: is not valid JSON${again}`);
    for (const sizes of ["[4]", "[4,5,6]", "[4,-5]", "[4,0.5]", "{}", "null"]) {
      expect(await altered(set, { mode_sizes: sizes })).toBe(
        `mode_sizes: must be two or more positive integers${again}`,
      );
    }
    expect(await altered(set, { provenance: "[]" })).toBe(`provenance: is not an object${again}`);
    expect(await altered(set, { provenance: "{" })).toBe(`provenance: is not valid JSON${again}`);
    expect(await altered(set, { mode_sizes: "[5,4]" })).toBe(
      `target_tensor: must have the shape 5 × 4${again}`,
    );
    expect(await altered(set, { task: "sensing" })).toBe(
      `inputs: must have the shape 6 × 4 × 5${again}`,
    );
  });

  it("arrays of the wrong type, shape or content", async () => {
    const again = "; make the data set again";
    const set = matrix("completion");
    const wrong = (arrays: Record<string, NamedArray | undefined>) => altered(set, {}, arrays);
    expect(await wrong({ targets: undefined })).toBe(`targets: must be a float32 array${again}`);
    expect(await wrong({ targets: { shape: [6], data: new Float64Array(6) } })).toBe(
      `targets: must be a float32 array${again}`,
    );
    expect(await wrong({ targets: { shape: [6], data: new Float32Array(6).fill(NaN) } })).toBe(
      `targets: has values that are not finite${again}`,
    );
    expect(await wrong({ targets: { shape: [5], data: new Float32Array(5) } })).toBe(
      `indices: must have the shape 5 × 2${again}`,
    );
    expect(await wrong({ targets: { shape: [2, 3], data: new Float32Array(6) } })).toBe(
      `targets: must have the shape 6${again}`,
    );
    expect(await wrong({ indices: { shape: [6, 2], data: new Int16Array(12) } })).toBe(
      `indices: must be an int32 array${again}`,
    );
    for (const index of [-1, 4]) {
      const data = new Int32Array(12);
      data[10] = index;
      expect(await wrong({ indices: { shape: [6, 2], data } })).toBe(
        `indices: reach beyond the mode sizes${again}`,
      );
    }
  });
});

describe("data sets of the PyTorch scripts", async () => {
  const fixture = (name: string) => join(import.meta.dirname, "..", "fixtures", name);
  const values = JSON.parse(await readFile(fixture("pytorch-values.json"), "utf8")) as Record<
    string,
    { A: number[]; y: number[]; target_matrix: number[]; inputs: number[]; targets: number[] }
  >;

  it("matrix sensing", async () => {
    const dataset = await readFactorizationDataset(fixture("pytorch-matrix-sensing.pt"));
    const expected = values["matrix-sensing"]!;
    expect(dataset).toMatchObject({
      kind: "matrix",
      task: "sensing",
      modeSizes: [3, 5],
      samples: 4,
    });
    expect(dataset.inputs).toEqual(Float32Array.from(expected.A));
    expect(dataset.targets).toEqual(Float32Array.from(expected.y));
    expect(dataset.targetTensor).toEqual(Float32Array.from(expected.target_matrix));
  });

  it("matrix completion, as entries", async () => {
    const dataset = await readFactorizationDataset(fixture("pytorch-matrix-completion.pt"));
    expect(dataset).toMatchObject({
      kind: "matrix",
      task: "completion",
      modeSizes: [4, 4],
      samples: 10,
    });
    dataset.targets.forEach((y, i) => {
      expect(y).toBe(
        dataset.targetTensor![dataset.indices![2 * i]! * 4 + dataset.indices![2 * i + 1]!],
      );
    });
    expect(dataset.indices!.length).toBe(20);
  });

  it("tensor completion, as entries, with its settings", async () => {
    const dataset = await readFactorizationDataset(fixture("pytorch-tensor-completion.pt"));
    const expected = values["tensor-completion"]!;
    expect(dataset).toMatchObject({
      kind: "tensor",
      task: "completion",
      modeSizes: [3, 3, 3],
      samples: 8,
    });
    const oneHot = new Float32Array(8 * 9);
    dataset.indices!.forEach((index, i) => {
      oneHot[i * 3 + index] = 1;
    });
    expect(oneHot).toEqual(Float32Array.from(expected.inputs));
    expect(dataset.targets).toEqual(Float32Array.from(expected.targets));
    expect(dataset.provenance).toMatchObject({
      generator: "PyTorch tensor_sensing_data_generator",
      flags: { target_tensor_cp_rank: 2, random_seed: 1, target_tensor_ht_rank: [5, 5] },
    });
    expect(dataset.targetTensor).toBeUndefined();
  });

  it("tensor sensing", async () => {
    const dataset = await readFactorizationDataset(fixture("pytorch-tensor-sensing.pt"));
    expect(dataset).toMatchObject({
      kind: "tensor",
      task: "sensing",
      modeSizes: [4, 4, 4],
      samples: 5,
    });
    expect(dataset.inputs).toEqual(Float32Array.from(values["tensor-sensing"]!.inputs));
    expect(dataset.targets).toEqual(Float32Array.from(values["tensor-sensing"]!.targets));
  });

  it("can be written again in our format", async () => {
    const dataset = await readFactorizationDataset(fixture("pytorch-tensor-completion.pt"));
    await writeFactorizationDataset(temporary("a.safetensors"), dataset);
    expect(await readFactorizationDataset(temporary("a.safetensors"))).toEqual(dataset);
  });

  it("but no other files of PyTorch", async () => {
    const path = join(import.meta.dirname, "../../../array-files/test/fixtures/values.pt");
    await expect(readFactorizationDataset(path)).rejects.toMatchObject({
      message: `${path}: content: is not a matrix or tensor data set of the PyTorch scripts; give the file that their data generator wrote`,
      exitCode: 1,
    });
  });
});

const python = findPython("safetensors", "numpy");
describe("Python", () => {
  beforeEach(({ skip }) => {
    if (python === undefined) skip("needs a Python that has safetensors and numpy");
  });
  it("opens a data set and gets the hash that docs/data-files.md describes", async () => {
    const documentation = await readFile(
      new URL("../../../../docs/data-files.md", import.meta.url),
      "utf8",
    );
    const recipe = /^def content_sha256.*?\n(?=\S)/ms.exec(documentation)![0];
    const path = await saveFactorizationDataset(temporary("data"), "set", tensor("completion"));
    const program = `import hashlib, json, sys
${recipe}
from safetensors import safe_open
with safe_open(sys.argv[1], "np") as f:
    arrays = {k: f.get_tensor(k) for k in f.keys()}
    print(json.dumps({"hash": content_sha256(arrays), "recorded": f.metadata()["content_sha256"], "seed": json.loads(f.metadata()["provenance"])["seed"]}))`;
    const seen = runPython(python!, program, path) as {
      hash: string;
      recorded: string;
      seed: number;
    };
    expect(seen.hash).toBe(seen.recorded);
    expect(seen.seed).toBe(1);
  });
});
