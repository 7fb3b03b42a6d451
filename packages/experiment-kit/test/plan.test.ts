import { basename } from "node:path";
import { describe, expect, it } from "vitest";
import { expandPlan, fillTemplate, parsePlan } from "../src/index.ts";
import type { Experiment } from "../src/index.ts";
import { toyExperiment } from "./toy-experiment.ts";

const experiments = [toyExperiment as Experiment];

function expand(content: object, options: { readonly experiment?: string } = {}) {
  const plan = parsePlan({ experiment: "toy", ...content }, "plan.json");
  return expandPlan(plan, experiments, { source: "plan.json", ...options });
}

describe("an experiment plan", () => {
  it("expands options over base_config, the last key fastest, configurations in order", () => {
    const tasks = expand({
      configurations: [
        {
          base_config: { momentum: 0.25 },
          options: { lr: [0.1, 0.2], epochs: [5, 6] },
        },
        { base_config: { lr: 0.4, epochs: 7 } },
      ],
    });
    const points = tasks.map(({ flags }) => [flags["lr"], flags["epochs"], flags["momentum"]]);
    expect(points).toEqual([
      [0.1, 5, 0.25],
      [0.1, 6, 0.25],
      [0.2, 5, 0.25],
      [0.2, 6, 0.25],
      [0.4, 7, undefined],
    ]);
    expect(tasks.map(({ configuration }) => configuration)).toEqual([0, 1, 2, 3, 4]);
  });

  it("is refused before it lists more runs than anybody wants", () => {
    const configurations = [{ base_config: {}, options: { lr: [0.1, 0.2] } }];
    expect(() => expand({ repetitions: 4_294_967_296, configurations })).toThrow(
      "plan.json: repetitions: 8589934592 runs, at most 100000 at once; give fewer values",
    );
    const many = Array.from({ length: 400 }, (_, i) => i + 1);
    const options = { epochs: many, samples: many };
    expect(() => expand({ configurations: [{ base_config: {}, options }] })).toThrow(
      "plan.json: configurations[0].options: 160000 runs, at most 100000 at once",
    );
  });

  it("leaves out the first configurations", () => {
    const tasks = expand({
      skip: 2,
      configurations: [{ base_config: {}, options: { lr: [0.1, 0.2, 0.3] } }],
    });
    expect(tasks.map(({ flags }) => flags["lr"])).toEqual([0.3]);
  });

  it("repeats with different seeds, also where configurations differ in the seed", () => {
    const tasks = expand({
      repetitions: 3,
      configurations: [{ base_config: { random_seed: 5 }, options: { random_seed: [0, 1] } }],
    });
    expect(tasks.map(({ flags }) => flags["random_seed"])).toEqual([0, 2, 4, 1, 3, 5]);
    expect(new Set(tasks.map(({ folder }) => folder)).size).toBe(6);
  });

  it("counts seeds from 0 where the plan draws them", () => {
    const configurations = [{ base_config: { random_seed: -1 } }];
    const seeds = expand({ repetitions: 2, configurations }).map(
      ({ flags }) => flags["random_seed"],
    );
    expect(seeds).toEqual([0, 1]);
  });

  it("fills templates, with defaults too, and leaves the rest of them alone", () => {
    const [task] = expand({
      configurations: [
        {
          base_config: {
            experiment_name: "toy_{lr}_{momentum}",
            outputs_dir: "./out.v2/{dimension}",
          },
          options: { lr: [0.125] },
        },
      ],
    });
    expect(task!.folder).toContain("/out.v2/4/toy_0-125_0-5_seed=0_");
  });

  it("gives each run one of the ids of gpu_ids_pool", () => {
    const tasks = expand({
      gpu_ids_pool: [3, 4],
      repetitions: 3,
      configurations: [{ base_config: {} }],
    });
    expect(tasks.map(({ flags }) => flags["gpu_ids"])).toEqual([[3], [4], [3]]);
  });

  it("takes the kind of experiment from the configuration, the plan or the caller", () => {
    const configurations = [{ base_config: {} }];
    expect(expand({ configurations })[0]!.experiment).toBe("toy");
    const caller = { experiment: "toy" };
    expect(expand({ experiment: undefined, configurations }, caller)[0]!.experiment).toBe("toy");
    const own = [{ experiment: "toy", base_config: {} }];
    expect(expand({ experiment: "other", configurations: own })[0]!.experiment).toBe("toy");
  });

  const base = { base_config: {} };
  it.each([
    [{}, /^plan\.json: configurations: /],
    [{ configurations: [] }, /^plan\.json: configurations: /],
    [{ configurations: [{ options: {} }] }, /^plan\.json: configurations\[0\]\.base_config: /],
    [
      { configurations: [{ ...base, options: { lr: 0.1 } }] },
      /^plan\.json: configurations\[0\]\.options\.lr: expected array/,
    ],
    [
      { configurations: [base, { ...base, options: { lr: [0.1, -1] } }] },
      /^plan\.json: configurations\[1\]\.options\.lr\[1\]: must be greater than 0 \(got -1\)$/,
    ],
    [
      { configurations: [{ base_config: { epochs: "many" } }] },
      /^plan\.json: configurations\[0\]\.base_config\.epochs: must be /,
    ],
    [
      { configurations: [{ base_config: { learning_rat: 1 } }] },
      /^plan\.json: configurations\[0\]\.base_config\.learning_rat: there is no such flag/,
    ],
    [
      { configurations: [{ base_config: { experiment_name: "{nope}" } }] },
      /^plan\.json: configurations\[0\]\.base_config\.experiment_name: \{nope\}: there is no such field/,
    ],
    [{ configurations: [base], repetitions: 0 }, /^plan\.json: repetitions: /],
    [{ configurations: [base], repeat: 2 }, /^plan\.json: repeat: there is no such key/],
    [{ configurations: [base], skip: 1 }, /^plan\.json: skip: leaves no configuration/],
    [{ configurations: [base], experiment: "nn" }, /^plan\.json: experiment: must be one of toy/],
    [
      { configurations: [base], multiprocess: true, num_parallel: 3, gpu_ids_pool: [0] },
      /^plan\.json: gpu_ids_pool: must have at least num_parallel = 3/,
    ],
  ])("refuses %j", (content, message) => {
    expect(() => expand(content)).toThrow(message);
  });

  it("cleans only what is filled in", () => {
    const flags = { a: [1.5, 2], b: "x/y z" };
    expect(fillTemplate("./r.{a}/[{b}]", flags, "here")).toBe("./r.1-5-2/[x-yz]");
  });

  it("names folders by the template", () => {
    const [task] = expand({ configurations: [{ base_config: { experiment_name: "run" } }] });
    expect(basename(task!.folder)).toMatch(/^run_seed=0_[0-9a-f]{10}$/);
  });
});
