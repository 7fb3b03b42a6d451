import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  checkTensorFlags,
  generateTensorDataset,
  tensorDatasetFlags,
  tensorTargetNorm,
  type TensorDatasetOptions,
} from "../../src/index.ts";
import { cpTarget } from "./cp-target.ts";

const cube = (order: number, size: number) => cpTarget(new Array<number>(order).fill(size), 2);

/** ⟨x_1 ⊗ … ⊗ x_N, T⟩ by contracting the full tensor mode after mode, in float64. */
function contraction(
  tensor: Float32Array,
  inputs: Float32Array,
  sample: number,
  order: number,
  size: number,
): number {
  let current = Float64Array.from(tensor);
  for (let mode = order - 1; mode >= 0; mode--) {
    const start = (sample * order + mode) * size;
    current = Float64Array.from({ length: current.length / size }, (_, i) => {
      let sum = 0;
      for (let j = 0; j < size; j++) sum += current[i * size + j]! * inputs[start + j]!;
      return sum;
    });
  }
  return current[0]!;
}

const options = fc.record({
  num_samples: fc.integer({ min: 1, max: 80 }),
  order: fc.integer({ min: 2, max: 4 }),
  mode_dim_size: fc.integer({ min: 1, max: 4 }),
  random_seed: fc.nat(),
});

describe("any tensor data set", () => {
  it("of entries observes each at most once, with the value of the target there", () => {
    fc.assert(
      fc.property(options, (flags) => {
        const target = cube(flags.order, flags.mode_dim_size);
        const dataset = generateTensorDataset(flags, target);
        expect(dataset.samples).toBe(
          Math.min(flags.num_samples, flags.mode_dim_size ** flags.order),
        );
        const entries = new Set<number>();
        for (let i = 0; i < dataset.samples; i++) {
          let entry = 0;
          for (let mode = 0; mode < flags.order; mode++) {
            entry = entry * flags.mode_dim_size + dataset.indices![i * flags.order + mode]!;
          }
          entries.add(entry);
          expect(dataset.targets[i]).toBe(target.tensor[entry]);
        }
        expect(entries.size).toBe(dataset.samples);
        expect(dataset.targetTensor).toBe(target.tensor);
      }),
    );
  });

  it("of rank-one measurements contracts the target with its inputs", () => {
    fc.assert(
      fc.property(options, (flags) => {
        const target = cube(flags.order, flags.mode_dim_size);
        const { inputs, targets, samples } = generateTensorDataset(
          { ...flags, task_type: "sensing" },
          target,
        );
        expect(samples).toBe(flags.num_samples);
        for (let i = 0; i < samples; i++) {
          const expected = contraction(target.tensor, inputs!, i, flags.order, flags.mode_dim_size);
          expect(targets[i]).toBeCloseTo(expected, 3);
        }
      }),
    );
  });
});

it("entries are drawn evenly", () => {
  const target = cube(3, 3);
  const draws = 3000;
  const seen = new Float64Array(27);
  for (let seed = 0; seed < draws; seed++) {
    const { indices } = generateTensorDataset(
      { order: 3, mode_dim_size: 3, num_samples: 9, random_seed: seed },
      target,
    );
    for (let i = 0; i < 9; i++)
      seen[indices![3 * i]! * 9 + indices![3 * i + 1]! * 3 + indices![3 * i + 2]!]! += 1;
  }
  for (const count of seen)
    expect(Math.abs(count - draws / 3)).toBeLessThan(5 * Math.sqrt((draws * 2) / 9));
});

it("inputs are Gaussian with the variance (dᴺ)^(-1/N) = 1/d", () => {
  const { inputs } = generateTensorDataset(
    { task_type: "sensing", order: 4, mode_dim_size: 5, num_samples: 20_000, random_seed: 1 },
    cube(4, 5),
  );
  const count = inputs!.length;
  const scale = (5 ** 4) ** (1 / 8);
  let [mean, second, fourth] = [0, 0, 0];
  for (const value of inputs!) {
    const x = value * scale;
    mean += x / count;
    second += x ** 2 / count;
    fourth += x ** 4 / count;
  }
  expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(count));
  expect(Math.abs(second - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
  expect(Math.abs(fourth - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
});

it("the same seed gives the same data, another one others", () => {
  const flags = { order: 3, mode_dim_size: 4, num_samples: 20 };
  const generate = (seed: number) =>
    generateTensorDataset({ ...flags, random_seed: seed }, cube(3, 4));
  expect(generate(1)).toEqual(generate(1));
  expect(generate(1).indices).not.toEqual(generate(2).indices);
  expect([...generate(1).indices!.slice(0, 12)]).toMatchInlineSnapshot(`
    [
      2,
      2,
      0,
      0,
      2,
      2,
      3,
      1,
      2,
      2,
      3,
      1,
    ]
  `);
});

it("the provenance has the seed that -1 stood for", () => {
  const dataset = generateTensorDataset({ order: 2, mode_dim_size: 2 }, cube(2, 2));
  const { seed, flags } = dataset.provenance as { seed: number; flags: Record<string, unknown> };
  expect(Number.isSafeInteger(seed) && seed >= 0).toBe(true);
  expect(flags.random_seed).toBe(seed);
  expect(flags.target_tensor_ht_rank).toEqual([5, 5]);
});

describe("the norm that the target gets", () => {
  const norm = (flags: TensorDatasetOptions) => tensorTargetNorm(tensorDatasetFlags.parse(flags));

  it("is the one asked for, 1 for zero or less, sqrt(dᴺ) when calibrated", () => {
    expect(norm({})).toBe(64);
    expect(norm({ target_fro_norm: 2.5 })).toBe(2.5);
    expect(norm({ target_fro_norm: 0 })).toBe(1);
    expect(norm({ target_fro_norm: -1 })).toBe(1);
    expect(
      norm({ target_calibrate_fro_norm: true, order: 3, mode_dim_size: 4, target_fro_norm: 5 }),
    ).toBe(8);
  });
});

describe("wrong flags are named", () => {
  it.each([
    [{ order: 1 }, "--order: must be an integer of at least 2"],
    [{ mode_dim_size: 0 }, "--mode_dim_size: must be an integer of at least 1"],
    [{ num_samples: -5 }, "--num_samples: must be an integer of at least 1"],
    [{ target_tensor_cp_rank: 0 }, "--target_tensor_cp_rank: must be an integer of at least 1"],
    [
      { target_tensor_ht_rank: [5, 0] },
      "--target_tensor_ht_rank: must be an integer of at least 1",
    ],
    [
      { target_tensor_ht_rank: [] },
      "--target_tensor_ht_rank: must have a width for each hidden layer",
    ],
    [
      { target_tensor_ht_pool_size: 1 },
      "--target_tensor_ht_pool_size: must be an integer of at least 2",
    ],
    [
      { target_tensor_ht_pool_pattern: "x" as "half" },
      "--target_tensor_ht_pool_pattern: must be checkerboard, half or checkerboard_sq",
    ],
    [{ target_init_std: -1 }, "--target_init_std: must not be negative"],
    [
      { target_tensor_factorization_type: "tucker" as "cp" },
      "--target_tensor_factorization_type: must be cp or ht",
    ],
    [
      { target_tensor_factorization_type: "ht" as const, target_tensor_ht_rank: [5, 5, 5] },
      "--target_tensor_ht_rank: 3 widths given, but order 3 with pool size 2 has 2 hidden layers; give 2",
    ],
    [
      { target_tensor_factorization_type: "ht" as const, target_tensor_ht_pool_size: 3 },
      "--target_tensor_ht_rank: 2 widths given, but order 3 with pool size 3 has 1 hidden layers; give 1",
    ],
    [
      { order: 12 },
      "--order: 16^12 entries do not fit memory; use a smaller order or mode_dim_size",
    ],
    [
      { task_type: "sensing" as const, num_samples: 10 ** 8 },
      "--num_samples: 100000000 inputs of 3 × 16 do not fit memory; use fewer",
    ],
  ])("%j", (flags, message) => {
    let error: unknown;
    try {
      generateTensorDataset(flags, cube(3, 16));
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ name: "DatasetError", message, exitCode: 2 });
  });

  it("a hierarchical rank of the right length passes, also with ragged layers", () => {
    const flags = { target_tensor_factorization_type: "ht" as const, order: 5, mode_dim_size: 2 };
    const ragged = tensorDatasetFlags.parse({ ...flags, target_tensor_ht_rank: [2, 3, 4] });
    expect(checkTensorFlags(ragged)).toBe(ragged);
  });

  it("a target of other mode sizes", () => {
    expect(() => generateTensorDataset({ order: 3, mode_dim_size: 4 }, cube(3, 3))).toThrow(
      "target: has mode sizes 3 × 3 × 3, the flags ask for 4 × 4 × 4; build it from the same flags",
    );
  });
});
