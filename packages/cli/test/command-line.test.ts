import { listFlags } from "@implicit-rank/experiment-kit";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { z } from "zod";
import { readCommandLine } from "../src/flags/command-line.ts";

const flags = listFlags(
  z.object({
    num_train_samples: z.int().default(2048),
    init_std: z.number().default(0.01),
    random_seed: z.int().default(-1),
    outputs_dir: z.string().default("out"),
    save_logs: z.boolean().default(false),
    score_largest: z.boolean().optional(),
    ht_layer_widths: z.array(z.int()).default([512, 512]),
    gpu_ids: z.array(z.int()).default([]),
    additional: z.array(z.string()).meta({ grouped: true }).default([]),
    linestyle: z.array(z.enum(["-", "--", ":"])).default([]),
  }),
);
const read = (...args: string[]) => readCommandLine(args, flags, { seed: "random_seed" });

describe("one flag, however it is written", () => {
  test.each([
    [["--num_train_samples", "64"]],
    [["--num-train-samples", "64"]],
    [["--num-train_samples=64"]],
    [["--num_train_samples=64"]],
    [["-num_train_samples", "64"]],
    [["--num_train_samples", "1", "--num-train-samples", "64"]],
  ])("%j", (args) => {
    expect(read(...args).flags).toEqual({ num_train_samples: "64" });
  });

  test("has a value that starts with a minus or holds an equals sign", () => {
    const typed = read("--random_seed", "-1", "--init_std", "-1e-3", "--outputs_dir=a=b");
    expect(typed.flags).toEqual({ random_seed: "-1", init_std: "-1e-3", outputs_dir: "a=b" });
  });

  test("has an alias", () => {
    expect(read("--seed", "3").flags).toEqual({ random_seed: "3" });
  });
});

describe("lists", () => {
  test("hold two dashes where these are a choice; elsewhere they end the flags", () => {
    const typed = read("--linestyle", "-", "--", ":", "--gpu_ids", "0", "--", "--linestyle");
    expect(typed.flags).toEqual({ linestyle: ["-", "--", ":"], gpu_ids: ["0"] });
    expect(typed.operands).toEqual(["--linestyle"]);
  });

  test("take all values up to the next flag", () => {
    const { flags: typed, operands } = read("--ht_layer_widths", "8", "-9", "--gpu_ids", "0");
    expect(typed).toEqual({ ht_layer_widths: ["8", "-9"], gpu_ids: ["0"] });
    expect(operands).toEqual([]);
  });

  test("are replaced by a later occurrence", () => {
    expect(read("--gpu_ids", "0", "1", "--gpu-ids", "2").flags).toEqual({ gpu_ids: ["2"] });
  });

  test("of groups grow by a group with each occurrence", () => {
    const typed = read("--additional", "0", "2", "--additional", "1", "--additional=0 3").flags;
    expect(typed).toEqual({ additional: ["0 2", "1", "0 3"] });
  });
});

describe("switches", () => {
  test.each([
    [["--save_logs"], true],
    [["--save-logs", "true"], "true"],
    [["--save_logs=False"], "False"],
    [["--score_largest", "false"], "false"],
  ])("%j", (args, value) => {
    expect(Object.values(read(...args).flags)).toEqual([value]);
  });

  test("leave an operand alone", () => {
    expect(read("--save_logs", "folder")).toMatchObject({
      flags: { save_logs: true },
      operands: ["folder"],
    });
  });
});

test("operands may stand anywhere, and after -- may look like flags", () => {
  const { operands } = read("a", "--save_logs", "b", "--", "--c");
  expect(operands).toEqual(["a", "b", "--c"]);
});

test.each([["-h"], ["--help"]])("%s asks for help, whatever else is there", (flag) => {
  expect(read("--save_logs", flag, "--nonsense").help).toBe(true);
});

test.each([
  [
    ["--num_train_sample", "3"],
    "--num_train_sample: there is no such flag; did you mean --num_train_samples?",
  ],
  [["--num-train-samplse=3"], "did you mean --num_train_samples?"],
  [["--sed", "3"], "did you mean --seed?"],
  [["--zzzzzzzzzzzz"], "--zzzzzzzzzzzz: there is no such flag"],
  [["-x"], "--x: there is no such flag"],
  [["--num_train_samples"], "--num_train_samples: needs a value (integer)"],
  [["--num_train_samples", "--save_logs"], "--num_train_samples: needs a value (integer)"],
  [["--ht_layer_widths", "--save_logs"], "--ht_layer_widths: needs a value (integer)"],
  [["--outputs_dir"], "--outputs_dir: needs a value (path)"],
])("%j is refused", (args, message) => {
  expect(() => read(...args)).toThrow(message);
});

test("-Infinity is a value, for the flag to judge", () => {
  expect(read("--init_std", "-Infinity").flags).toEqual({ init_std: "-Infinity" });
});

test("any mix of snake case, kebab case, spaces and equals signs reads the same", () => {
  const value = fc.oneof(fc.integer().map(String), fc.double({ noNaN: true }).map(String));
  const name = fc.constantFrom("num_train_samples", "init_std", "random_seed", "outputs_dir");
  const assignments = fc.array(fc.tuple(name, value, fc.boolean(), fc.boolean()), { maxLength: 6 });
  const property = fc.property(assignments, (given) => {
    const args = given.flatMap(([flag, text, kebab, attached]) => {
      const written = `--${kebab ? flag.replaceAll("_", "-") : flag}`;
      return attached ? [`${written}=${text}`] : [written, text];
    });
    const expected = Object.fromEntries(given.map(([flag, text]) => [flag, text]));
    expect(read(...args)).toEqual({ flags: expected, operands: [], help: false });
  });
  fc.assert(property);
});
