import { createHash } from "node:crypto";
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { NamedArray, TorchValue } from "@implicit-rank/array-files";
import { describe, expect, it } from "vitest";
import { compareStored } from "../../src/torch/compare-stored.ts";
import { writeHistory } from "../../src/torch/history-metrics.ts";
import { findScriptRun } from "../../src/torch/script-run.ts";
import { parseTorchCheckpoint } from "../../src/torch/torch-checkpoint.ts";
import type { TorchCheckpoint } from "../../src/torch/torch-checkpoint.ts";
import { readTrackedValues } from "../../src/torch/tracked-values.ts";
import { temporaryFolder } from "../run-kit.ts";

const map = (fields: Readonly<Record<string, TorchValue>>): TorchValue =>
  new Map(Object.entries(fields));
const scalar = (value: number): NamedArray => ({ shape: [], data: Float32Array.of(value) });

function tracked(
  epochs: readonly TorchValue[],
  values: readonly TorchValue[],
  last: { readonly value?: TorchValue; readonly epoch?: number } = {},
): TorchValue {
  return map({
    current_value: last.value ?? values.at(-1) ?? null,
    epoch_last_updated: last.epoch ?? epochs.at(-1) ?? -1,
    epoch_values: values,
    epochs_with_values: epochs,
  });
}

function content(parts: Readonly<Record<string, TorchValue>> = {}): TorchValue {
  return map({
    model: map({ w: scalar(1) }),
    optimizer: map({ state: map({}), param_groups: [map({ lr: 0.1, params: [0] })] }),
    value_store: map({ tracked_values: map({ extra: tracked([1], [7]) }), other_values: map({}) }),
    train_evaluator: map({ "train loss": tracked([0, 1, 2], [3, 2, Infinity]) }),
    val_evaluator: map({ "val loss": tracked([1, 2], [0.5, 0.25]), never: tracked([], []) }),
    callback: map({}),
    epoch: 2,
    ...parts,
  });
}

const checkpoint = (parts: Readonly<Record<string, TorchValue>> = {}): TorchCheckpoint => ({
  ...parseTorchCheckpoint(content(parts), "x.ckpt"),
  sha256: "",
});

describe("tracked values", () => {
  it("are histories of numbers, also of tensors of one; others are left out", () => {
    const values = readTrackedValues(
      map({
        number: tracked([0, 1], [1, 2n]),
        tensor: tracked([scalar(3)], [scalar(0.5)]),
        confusion: tracked([0], [[1, 2]]),
        short: tracked([0, 1], [1]),
        backwards: tracked([1, 0], [1, 2]),
        fraction: tracked([0.5], [1]),
        garbled: 7,
        "not kept": tracked([], [], { value: 9, epoch: 8 }),
      }),
    );
    expect([...values!.keys()]).toEqual(["number", "tensor", "not kept"]);
    expect(values!.get("number")).toEqual({
      name: "number",
      epochs: Int32Array.of(0, 1),
      values: Float64Array.of(1, 2),
      last: { value: 2, epoch: 1 },
    });
    expect(values!.get("tensor")!.values).toEqual(Float64Array.of(0.5));
    expect(values!.get("not kept")!.last).toEqual({ value: 9, epoch: 8 });
    expect(readTrackedValues(7)).toBeUndefined();
  });

  it("may have any name", () => {
    const evaluator = new Map<string, TorchValue>([["__proto__", tracked([4], [5])]]);
    expect([...readTrackedValues(evaluator)!.keys()]).toEqual(["__proto__"]);
  });
});

describe("a checkpoint", () => {
  it("has parameters, metrics by source and its epoch", () => {
    const { epoch, model, metrics, optimizer } = checkpoint();
    expect(epoch).toBe(2);
    expect(model.get("w")).toEqual(scalar(1));
    expect(optimizer.groups[0]!.settings.get("lr")).toBe(0.1);
    const names = Object.fromEntries(
      Object.entries(metrics).map(([source, values]) => [source, values.map(({ name }) => name)]),
    );
    expect(names).toEqual({
      train: ["train loss"],
      validation: ["val loss", "never"],
      extra: ["extra"],
    });
  });

  it.each<[Readonly<Record<string, TorchValue>>, string]>([
    [{ epoch: -1 }, "epoch: is not the number of a finished epoch"],
    [{ epoch: scalar(2) }, "epoch: is not the number of a finished epoch"],
    [{ model: map({}) }, "model: is no state dictionary"],
    [{ model: map({ w: 1 }) }, 'model: "w" is no named tensor'],
    [{ optimizer: null }, "optimizer: is not the state of an optimizer"],
    [
      { train_evaluator: map({ "val loss": tracked([1], [1]) }) },
      "two metrics have the name val loss",
    ],
    [{ train_evaluator: map({ time: tracked([1], [1]) }) }, "two metrics have the name time"],
    [{ train_evaluator: map({ late: tracked([5], [1]) }) }, "metric late has values after epoch 2"],
  ])("%j is refused", (parts, problem) => {
    expect(() => checkpoint(parts)).toThrow(`x.ckpt: ${problem}`);
  });
});

describe("the history", () => {
  it("becomes metrics.jsonl, a line for each epoch with a value, without times", async () => {
    const path = join(temporaryFolder(), "metrics.jsonl");
    const { bytes, sha256 } = writeHistory(path, checkpoint());
    const written = await readFile(path);
    expect(written.toString().split("\n")).toEqual([
      '{"epoch":0,"train loss":3}',
      '{"epoch":1,"train loss":2,"val loss":0.5,"extra":7}',
      '{"epoch":2,"train loss":null,"val loss":0.25}',
      "",
    ]);
    expect(bytes).toBe(written.length);
    expect(sha256).toBe(createHash("sha256").update(written).digest("hex"));
  });
});

describe("values that are computed anew", () => {
  const stored = checkpoint({
    val_evaluator: map({
      rank: tracked([2], [3]),
      small: tracked([2], [1e-9]),
      large: tracked([2], [10]),
      old: tracked([1], [1]),
      undefined: tracked([2], [NaN]),
    }),
  });
  const infos = [
    { name: "rank" },
    { name: "small", tag: "values" },
    { name: "large", tag: "values" },
    { name: "old" },
    { name: "undefined" },
    { name: "of this program only" },
  ];
  const compare = (...values: readonly number[]) =>
    compareStored(stored, infos, Float64Array.from(values), {
      mayDiffer: (name) => (name === "rank" ? "it is blurred" : undefined),
    });

  it("are equal within 0.1%, or within 1e-5 of the largest of their tag", () => {
    expect(compare(3, 5e-5, 10.009, 4, NaN, 8).map(({ name, verdict }) => [name, verdict])).toEqual(
      [
        ["rank", "equal"],
        ["small", "equal"],
        ["large", "equal"],
        ["undefined", "equal"],
      ],
    );
  });

  it("differ beyond that, some for a reason", () => {
    expect(compare(4, 2e-4, 10.02, 4, 1, 8)).toEqual([
      { name: "rank", stored: 3, computed: 4, verdict: "may differ", reason: "it is blurred" },
      { name: "small", stored: 1e-9, computed: 2e-4, verdict: "different" },
      { name: "large", stored: 10, computed: 10.02, verdict: "different" },
      { name: "undefined", stored: NaN, computed: 1, verdict: "different" },
    ]);
  });
});

describe("a run of the scripts", () => {
  it("is found by its folder: the last checkpoint and what is known beside it", async () => {
    const folder = join(temporaryFolder(), "mine_2022_01_31-12_34_56");
    await mkdir(join(folder, "checkpoints"), { recursive: true });
    for (const name of ["a_epoch_9.ckpt", "b_epoch_10.ckpt", "epoch_11.txt", "last.ckpt"])
      await writeFile(join(folder, "checkpoints", name), "");
    await writeFile(join(folder, "config.json"), '{"lr": 0.1, "epochs": 5}');
    await writeFile(
      join(folder, "summary.json"),
      '{"values": [NaN, -Infinity], "exception": "NaN: stopped"}',
    );
    const last = join(folder, "checkpoints", "b_epoch_10.ckpt");
    const expected = {
      checkpoint: last,
      flags: { lr: 0.1, epochs: 5 },
      exception: "NaN: stopped",
      created: new Date("2022-01-31T12:34:56Z"),
    };
    expect(await findScriptRun(folder)).toEqual(expected);
    expect(await findScriptRun(last)).toEqual(expected);
  });

  it("may be a checkpoint alone, with its own time or none", async () => {
    const folder = temporaryFolder();
    const named = join(folder, "2022_01_31-12_34_56_epoch_3.ckpt");
    await writeFile(named, "");
    await writeFile(join(folder, "config.json"), "{broken");
    expect(await findScriptRun(named)).toEqual({
      checkpoint: named,
      flags: undefined,
      exception: undefined,
      created: new Date("2022-01-31T12:34:56Z"),
    });
    const nameless = join(folder, "2022_13_99-99_99_99.ckpt");
    await writeFile(nameless, "");
    const { created } = await findScriptRun(nameless);
    expect(created).toEqual((await stat(nameless)).mtime);
  });

  it("must be there", async () => {
    const missing = join(temporaryFolder(), "missing.ckpt");
    await expect(findScriptRun(missing)).rejects.toMatchObject({
      exitCode: 2,
      message: `${missing}: there is no such file or folder; check the path`,
    });
  });
});
