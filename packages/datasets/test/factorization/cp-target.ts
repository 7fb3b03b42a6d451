import type { TensorTarget } from "../../src/index.ts";

/** T = Σ_r a_r^1 ⊗ … ⊗ a_r^N with small integer factors, so that float32 sums are exact; measured by its definition. */
export function cpTarget(modeSizes: readonly number[], rank: number): TensorTarget {
  const entries = modeSizes.reduce((product, size) => product * size, 1);
  const factor = (mode: number, index: number, r: number) =>
    ((mode * 7 + index * 5 + r * 3) % 5) - 2;
  const tensor = new Float32Array(entries);
  for (let entry = 0; entry < entries; entry++) {
    const tuple = indexTuple(entry, modeSizes);
    for (let r = 0; r < rank; r++) {
      tensor[entry]! += tuple.reduce((product, index, mode) => product * factor(mode, index, r), 1);
    }
  }
  const width = Math.max(...modeSizes);
  const measure = (inputs: Float32Array, samples: number) =>
    Float32Array.from({ length: samples }, (_, sample) => {
      let sum = 0;
      for (let r = 0; r < rank; r++) {
        let product = 1;
        modeSizes.forEach((size, mode) => {
          let inner = 0;
          const start = (sample * modeSizes.length + mode) * width;
          for (let i = 0; i < size; i++) inner += inputs[start + i]! * factor(mode, i, r);
          product *= inner;
        });
        sum += product;
      }
      return sum;
    });
  return { modeSizes, tensor, measure };
}

/** The index tuple of an entry of a row-major tensor. */
export function indexTuple(entry: number, modeSizes: readonly number[]): number[] {
  const tuple = new Array<number>(modeSizes.length);
  let rest = entry;
  for (let mode = modeSizes.length - 1; mode >= 0; mode--) {
    tuple[mode] = rest % modeSizes[mode]!;
    rest = Math.floor(rest / modeSizes[mode]!);
  }
  return tuple;
}
