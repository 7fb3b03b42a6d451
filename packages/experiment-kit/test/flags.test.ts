import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Experiment } from "../src/index.ts";
import {
  experimentFlags,
  listFlags,
  parseFlags,
  resolveConfig,
  sharedFlags,
} from "../src/index.ts";
import { toyExperiment } from "./toy-experiment.ts";

const schema = z.object({
  count: z.number().int().min(1).default(100).describe("a count"),
  rate: z.number().positive().default(0.5),
  on: z.boolean().default(false),
  widths: z.array(z.number().int().min(1)).default([512, 512]),
  loss: z.enum(["l1", "l2"]).default("l2"),
  names: z.array(z.string()).min(1).optional(),
  path: z.string().min(1),
  modes: z.array(z.string()).default([]).meta({ grouped: true }),
});

describe("listFlags", () => {
  it("tells name, type, default, description, choices, repetition and need", () => {
    const plain = { repeatable: false, grouped: false, required: false, description: "" };
    expect(listFlags(schema)).toEqual([
      { ...plain, name: "count", type: "integer", default: 100, description: "a count" },
      { ...plain, name: "rate", type: "number", default: 0.5 },
      { ...plain, name: "on", type: "boolean", default: false },
      { ...plain, name: "widths", type: "integer", repeatable: true, default: [512, 512] },
      { ...plain, name: "loss", type: "string", default: "l2", choices: ["l1", "l2"] },
      { ...plain, name: "names", type: "string", repeatable: true, default: undefined },
      { ...plain, name: "path", type: "string", required: true, default: undefined },
      { ...plain, name: "modes", type: "string", repeatable: true, grouped: true, default: [] },
    ]);
  });

  it("describes every shared flag", () => {
    for (const flag of listFlags(sharedFlags)) expect(flag.description, flag.name).not.toBe("");
  });

  it("has the counterpart's names and defaults", () => {
    const defaults = Object.fromEntries(
      listFlags(sharedFlags).map((flag) => [flag.name, flag.default]),
    );
    expect(defaults).toMatchObject({
      experiment_name: "exp",
      random_seed: -1,
      gpu_ids: [],
      trainer_checkpoint: "",
      epochs: 100,
      validate_every: 1,
      use_test_dataset: false,
      outputs_dir: "outputs/exps",
      disable_console_log: false,
      save_logs: false,
      train_batch_log_interval: 50,
      epoch_log_interval: 1,
      save_metric_plots: false,
      save_every_num_val: 1,
      use_tensorboard: false,
      use_wandb: false,
      wandb_project_name: "default",
      wandb_entity_name: "",
      wandb_resume_path: "",
      wandb_track_model: null,
      wandb_exclude_files: ["plots/**"],
      score_metric_name: "",
      is_train_metric: false,
      return_best_score: false,
      save_checkpoints: false,
      num_checkpoints: 1,
      save_checkpoints_by_score: false,
      early_stop: false,
      early_stop_min_delta: 0,
      early_stop_patience: 0,
      early_stop_cooldown: 0,
    });
  });
});

describe("parseFlags", () => {
  const parse = (raw: Record<string, unknown>) => parseFlags(schema, { path: "p", ...raw });

  it("takes texts and typed values alike, in snake and kebab case", () => {
    expect(parse({ count: "7", rate: "1e-3", on: "False", widths: ["3", 4], loss: "l1" })).toEqual(
      parse({ count: 7, rate: 0.001, on: false, widths: [3, 4], loss: "l1" }),
    );
    expect(parseFlags(z.object({ lr_decay: z.number() }), { "lr-decay": "2" })).toEqual({
      lr_decay: 2,
    });
    expect(parse({ widths: "3,4 5" }).widths).toEqual([3, 4, 5]);
    expect(parse({ modes: "0 2" }).modes).toEqual(["0 2"]);
  });

  it.each([
    ["True", true],
    ["false", false],
    ["0", false],
    ["1", true],
    ["no", false],
  ])("reads %s as %s", (text, value) => {
    expect(parse({ on: text }).on).toBe(value);
  });

  it.each([
    [{ count: 0 }, "--count: must be at least 1 (got 0)"],
    [{ count: "1.5" }, "--count: must be an integer (got 1.5)"],
    [{ count: "many" }, '--count: must be a number (got "many")'],
    [{ count: "" }, '--count: must be a number (got "")'],
    [{ rate: 0 }, "--rate: must be greater than 0 (got 0)"],
    [{ on: "maybe" }, '--on: must be true or false (got "maybe")'],
    [{ widths: ["8", "0"] }, "--widths: must be at least 1 (got 0)"],
    [{ widths: 8 }, "--widths: must be a list (got 8)"],
    [{ loss: "l3" }, '--loss: must be one of l1, l2 (got "l3")'],
    [{ names: [] }, "--names: must have at least 1 values (got [])"],
    [{ path: "" }, '--path: must not be empty (got "")'],
    [{ path: undefined }, "--path: is required"],
    [{ cuont: 3 }, "--cuont: there is no such flag; did you mean --count?"],
    [{ zzzzzzzzzz: 3 }, "--zzzzzzzzzz: there is no such flag"],
  ])("answers %j in one line", (raw, message) => {
    expect(() => parse(raw)).toThrow(expect.objectContaining({ message, exitCode: 2 }));
  });

  it("keeps every finite number that is given as a text", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true, min: 1e-300 }), (rate) => {
        expect(parse({ rate: String(rate) }).rate).toBe(rate);
      }),
    );
  });

  it("never throws anything but a one-line misuse error", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.constantFrom("count", "rate", "on", "widths", "loss", "names", "path", "x"),
          fc.anything(),
        ),
        (raw) => {
          try {
            parse(raw);
          } catch (error) {
            expect(error).toMatchObject({ exitCode: 2 });
            expect((error as Error).message).toMatch(/^--/);
          }
        },
      ),
    );
  });
});

describe("resolveConfig", () => {
  const resolve = (raw: Record<string, unknown>) => resolveConfig(toyExperiment, raw);

  it("fills in the defaults of the experiment's own and the shared flags", () => {
    const { flags, notices } = resolve({ lr: "0.1", epochs: "3" });
    expect(flags).toMatchObject({
      lr: 0.1,
      samples: 32,
      epochs: 3,
      validate_every: 1,
      num_checkpoints: 1,
    });
    expect(notices).toEqual([]);
  });

  it("lets an experiment replace a shared flag", () => {
    const own = {
      ...toyExperiment,
      flags: toyExperiment.flags.extend({ epochs: z.number().default(7) }),
    } as Experiment;
    expect(resolveConfig(own, {}).flags.epochs).toBe(7);
    expect(experimentFlags(own).filter(({ name }) => name === "epochs")).toHaveLength(1);
  });

  it("runs the experiment's own cross-flag checks", () => {
    const checked = {
      ...toyExperiment,
      flags: toyExperiment.flags.refine(
        ({ samples, batch_size: size }) => Number(size) <= Number(samples),
        {
          path: ["batch_size"],
          message: "must not exceed --samples",
        },
      ),
    } as Experiment;
    expect(() => resolveConfig(checked, { samples: 4, batch_size: 5 })).toThrow(
      "--batch_size: must not exceed --samples (got 5)",
    );
  });

  it.each([
    [{ num_checkpoints: 0 }, "--num_checkpoints: must be at least 1 (got 0)"],
    [{ epochs: 0 }, "--epochs: must be at least 1 (got 0)"],
    [{ validate_every: "0" }, "--validate_every: must be at least 1 (got 0)"],
    [{ random_seed: -2 }, "--random_seed: must be at least -1 (got -2)"],
    [
      { experiment_name: "a/b" },
      '--experiment_name: must be usable as a folder name, without "/" (got "a/b")',
    ],
  ])("refuses %j", (raw, message) => {
    expect(() => resolve(raw)).toThrow(expect.objectContaining({ message, exitCode: 2 }));
  });

  it.each(["", " ", ".hidden", "..", "a\nb"])("refuses the experiment name %j", (name) => {
    expect(() => resolve({ experiment_name: name })).toThrow(/^--experiment_name: /);
  });

  it("says which flags have no effect", () => {
    expect(resolve({ use_wandb: true, wandb_project_name: "p" }).notices).toEqual([
      expect.stringMatching(/^--use_wandb: .* not supported/),
    ]);
    expect(resolve({ num_checkpoints: 3 }).notices).toEqual([
      "--num_checkpoints: has no effect without --save_checkpoints",
    ]);
    expect(resolve({ "early-stop-patience": 3 }).notices).toEqual([
      "--early_stop_patience: has no effect without --early_stop",
    ]);
    expect(resolve({ score_largest: "False" }).notices).toEqual([
      "--score_largest: has no effect without --score_metric_name",
    ]);
    expect(resolve({ gpu_ids: ["0"] }).notices).toEqual([
      "--gpu_ids: has no effect; runs use the CPU, or the GPU of their --backend",
    ]);
  });

  it("reads --score_largest False as false", () => {
    expect(resolve({ score_metric_name: "m", score_largest: "False" }).flags.score_largest).toBe(
      false,
    );
  });
});
