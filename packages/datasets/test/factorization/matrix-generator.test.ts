import { contentHash } from "@implicit-rank/array-files";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  frobeniusNorm,
  generateMatrixDataset,
  matrixTargetFacts,
  type FactorizationDataset,
  type MatrixDatasetOptions,
} from "../../src/index.ts";

type MatrixDataset = FactorizationDataset & { readonly targetTensor: Float32Array };
const generate = (options: MatrixDatasetOptions) => generateMatrixDataset(options) as MatrixDataset;

/** y_i = ⟨A_i, W⟩ by its definition, with A_i written out, in float64. */
function measurements(dataset: MatrixDataset): Float64Array {
  const [rows, cols] = dataset.modeSizes as [number, number];
  return Float64Array.from({ length: dataset.samples }, (_, i) => {
    const a = new Float64Array(rows * cols);
    if (dataset.indices === undefined)
      a.set(dataset.inputs!.subarray(i * rows * cols, (i + 1) * rows * cols));
    else a[dataset.indices[2 * i]! * cols + dataset.indices[2 * i + 1]!] = 1;
    return a.reduce((sum, value, entry) => sum + value * dataset.targetTensor[entry]!, 0);
  });
}

const options = fc.record({
  task_type: fc.constantFrom("completion" as const, "sensing" as const),
  num_samples: fc.integer({ min: 1, max: 60 }),
  num_rows: fc.integer({ min: 1, max: 9 }),
  num_cols: fc.integer({ min: 1, max: 9 }),
  rank: fc.integer({ min: 1, max: 4 }),
  target_fro_norm: fc.constantFrom(64, 0.001, 1e6, 0, -1),
  random_seed: fc.nat(),
});

describe("any matrix data set", () => {
  it("measures its own target, which has the norm that was asked for", () => {
    fc.assert(
      fc.property(options, (flags) => {
        const dataset = generate(flags);
        const entries = flags.num_rows * flags.num_cols;
        const norm = flags.target_fro_norm > 0 ? flags.target_fro_norm : Math.sqrt(entries);
        // Float32 rounding of single entries: at most 2^-24 of each, so of the norm as well.
        expect(Math.abs(frobeniusNorm(dataset.targetTensor) / norm - 1)).toBeLessThan(2 ** -23);
        const expected = measurements(dataset);
        dataset.targets.forEach((y, i) => {
          expect(Math.abs(y - expected[i]!)).toBeLessThanOrEqual(2 ** -22 * norm);
        });
      }),
    );
  });

  it("of entries draws each at most once, and all of them when more are asked for", () => {
    fc.assert(
      fc.property(options, (flags) => {
        const { indices, samples, modeSizes } = generate({ ...flags, task_type: "completion" });
        const [rows, cols] = modeSizes as [number, number];
        expect(samples).toBe(Math.min(flags.num_samples, rows * cols));
        const entries = new Set<number>();
        for (let i = 0; i < samples; i++) {
          const [row, col] = [indices![2 * i]!, indices![2 * i + 1]!];
          expect(row >= 0 && row < rows && col >= 0 && col < cols).toBe(true);
          entries.add(row * cols + col);
        }
        expect(entries.size).toBe(samples);
      }),
    );
  });
});

describe("the target", () => {
  it.each([
    [64, 64, 5],
    [30, 50, 3],
    [50, 30, 1],
  ])("%d × %d of rank %d has this rank", (num_rows, num_cols, rank) => {
    const { singularValues } = matrixTargetFacts(
      generate({ num_rows, num_cols, rank, random_seed: 1, num_samples: 1 }),
      30,
    );
    expect(singularValues[rank - 1]! / singularValues[0]!).toBeGreaterThan(0.1);
    expect(singularValues[rank]! / singularValues[0]!).toBeLessThan(1e-6); // float32 rounding
  });

  it("is U Uᵀ when symmetric: symmetric and positive", () => {
    const n = 20;
    const { targetTensor: w } = generate({
      num_rows: n,
      num_cols: n,
      use_symmetric_target: true,
      random_seed: 2,
    });
    for (let i = 0; i < n; i++) {
      expect(w[i * n + i]).toBeGreaterThan(0);
      for (let j = 0; j < n; j++) expect(w[i * n + j]).toBe(w[j * n + i]);
    }
  });

  it("has Gaussian factors: entries have mean 0 and the fourth moment of sums of Gaussian products", () => {
    // For w = Σ_k u_k v_k with r terms: E w² = r, E w⁴ = 3 r² + 6 r; the ratio is free of the scaling.
    const rank = 2;
    let second = 0;
    let fourth = 0;
    const runs = 400;
    for (let seed = 0; seed < runs; seed++) {
      const { targetTensor } = generate({
        num_rows: 30,
        num_cols: 30,
        rank,
        random_seed: seed,
        num_samples: 1,
      });
      for (const w of targetTensor) {
        second += w ** 2 / (900 * runs);
        fourth += w ** 4 / (900 * runs);
      }
    }
    // Scaling each matrix to the same norm lowers the ratio of 6 by a few percent.
    expect(fourth / second ** 2).toBeGreaterThan(5);
    expect(fourth / second ** 2).toBeLessThan(6.2);
  });

  it("does not depend on task or number of samples", () => {
    const a = generate({ random_seed: 3, num_samples: 10 });
    const b = generate({ random_seed: 3, num_samples: 20, task_type: "sensing" });
    expect(a.targetTensor).toEqual(b.targetTensor);
  });
});

describe("observed entries", () => {
  it("cover a matrix that is not square evenly", () => {
    // The counterpart mixed up rows and columns here and could never reach some entries.
    const [rows, cols, draws] = [4, 7, 3000];
    const seen = new Float64Array(rows * cols);
    for (let seed = 0; seed < draws; seed++) {
      const { indices } = generate({
        num_rows: rows,
        num_cols: cols,
        num_samples: 7,
        random_seed: seed,
      });
      for (let i = 0; i < 7; i++) seen[indices![2 * i]! * cols + indices![2 * i + 1]!]! += 1;
    }
    // Each entry is drawn with probability 1/4 a data set; five standard errors.
    for (const count of seen) {
      expect(Math.abs(count - draws / 4)).toBeLessThan(5 * Math.sqrt((draws * 3) / 16));
    }
  });
});

describe("sensing matrices", () => {
  it("have independent Gaussian entries of variance 1 / (rows · columns)", () => {
    const { inputs } = generate({
      task_type: "sensing",
      num_rows: 10,
      num_cols: 20,
      num_samples: 2000,
      random_seed: 4,
    });
    const count = inputs!.length;
    let mean = 0;
    let second = 0;
    let fourth = 0;
    let neighbors = 0;
    inputs!.forEach((a, i) => {
      const x = a * Math.sqrt(200);
      mean += x / count;
      second += x ** 2 / count;
      fourth += x ** 4 / count;
      neighbors += i > 0 ? (x * inputs![i - 1]! * Math.sqrt(200)) / count : 0;
    });
    expect(Math.abs(mean)).toBeLessThan(5 / Math.sqrt(count));
    expect(Math.abs(second - 1)).toBeLessThan(5 * Math.sqrt(2 / count));
    expect(Math.abs(fourth - 3)).toBeLessThan(5 * Math.sqrt(96 / count));
    expect(Math.abs(neighbors)).toBeLessThan(5 / Math.sqrt(count));
  });
});

describe("seeds", () => {
  it("give the recorded data, which must never change", () => {
    const hash = (flags: MatrixDatasetOptions) => {
      const { indices, inputs, targets, targetTensor } = generate(flags);
      const observed = indices ?? inputs!;
      const flat = <T extends Float32Array | Int32Array>(data: T) => ({
        shape: [data.length],
        data,
      });
      return contentHash({
        arrays: {
          observed: flat(observed),
          targets: flat(targets),
          targetTensor: flat(targetTensor),
        },
      });
    };
    expect(hash({ random_seed: 1 })).toMatchInlineSnapshot(
      `"3d51a76100d567e5bb30c673164d7f97f7eb6aab69979fa17942bf28776a6cd3"`,
    );
    expect(hash({ random_seed: 1, task_type: "sensing", num_samples: 8 })).toMatchInlineSnapshot(
      `"24555de7c57b26d82b7ca9df10c364d8910fe0c817354893bfc685387b9b36eb"`,
    );
    expect(hash({ random_seed: 2 })).not.toBe(hash({ random_seed: 1 }));
  });

  it("are random for -1, and recorded", () => {
    const a = generate({ num_rows: 3, num_cols: 3 });
    const b = generate({ num_rows: 3, num_cols: 3 });
    expect(a.targetTensor).not.toEqual(b.targetTensor);
    const again = generate({ num_rows: 3, num_cols: 3, random_seed: a.provenance.seed as number });
    expect(again.targetTensor).toEqual(a.targetTensor);
    expect(again.indices).toEqual(a.indices);
  });

  it("are in the provenance with all flags that shape the data", () => {
    expect(generate({ random_seed: 5, output_dir: "elsewhere" }).provenance).toEqual({
      generator: "data matrix",
      package: "@implicit-rank/datasets",
      version: "0.1.0",
      seed: 5,
      flags: {
        task_type: "completion",
        num_samples: 4096,
        num_rows: 64,
        num_cols: 64,
        rank: 5,
        use_symmetric_target: false,
        target_fro_norm: 64,
        random_seed: 5,
      },
    });
  });
});

describe("wrong flags are named", () => {
  it.each([
    [{ num_rows: 0 }, "--num_rows: must be an integer of at least 1"],
    [{ num_cols: -3 }, "--num_cols: must be an integer of at least 1"],
    [{ num_samples: 2.5 }, "--num_samples: must be an integer of at least 1"],
    [{ rank: 0 }, "--rank: must be an integer of at least 1"],
    [{ rank: NaN }, "--rank: must be an integer of at least 1"],
    [{ target_fro_norm: Infinity }, "--target_fro_norm: must be a number"],
    [{ task_type: "regression" as "sensing" }, "--task_type: must be completion or sensing"],
    [{ random_seed: -2 }, "--random_seed: must be -1 or at least 0"],
    [
      { custom_file_name: "a/b" },
      "--custom_file_name: must be a name without / and \\ (give the folder with --output_dir)",
    ],
    [
      { use_symmetric_target: true, num_rows: 3 },
      "--use_symmetric_target: a 3 × 64 matrix cannot be symmetric; make --num_rows and --num_cols equal",
    ],
    [
      { num_rows: 2 ** 20, num_cols: 2 ** 20 },
      "--num_rows: 1048576 × 1048576 entries do not fit memory; use a smaller matrix",
    ],
    [{ rank: 2 ** 30 }, "--rank: factors of rank 1073741824 do not fit memory; use a smaller rank"],
    [
      { task_type: "sensing" as const, num_samples: 10 ** 6 },
      "--num_samples: 1000000 matrices of 64 × 64 do not fit memory; use fewer or smaller ones",
    ],
  ])("%j", (flags, message) => {
    let error: unknown;
    try {
      generateMatrixDataset(flags);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toMatchObject({ name: "DatasetError", message, exitCode: 2 });
  });
});
