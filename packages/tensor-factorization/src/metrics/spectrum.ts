import ndarray from "ndarray";
import { createSingularValueSolver } from "../linear-algebra/singular-values.ts";
import type { Floats } from "../model/types.ts";
import { complement } from "../tensor/matricization.ts";

/** Computes the singular values of one matricization of tensors of one shape. */
export interface Spectrum {
  readonly count: number;
  /** Descending; the returned array is reused. */
  singularValues(tensor: Floats): Float64Array;
}

/** Makes the spectrum of the matricization with the given row modes. */
export type SpectrumFactory = (shape: readonly number[], rowModes: readonly number[]) => Spectrum;

/** The spectrum of the matricization with the given row modes, in plain double precision. */
export function createSpectrum(shape: readonly number[], rowModes: readonly number[]): Spectrum {
  const { rows, cols } = matricizationOffsets(shape, rowModes);
  const solver = createSingularValueSolver(rows.length, cols.length);
  const { matrix } = solver;
  return {
    count: solver.count,
    singularValues(tensor) {
      let at = 0;
      for (let i = 0; i < rows.length; i++) {
        for (let j = 0; j < cols.length; j++) matrix[at++] = tensor[rows[i] + cols[j]];
      }
      return solver.solve();
    },
  };
}

/**
 * Where the entries of a matricization lie: entry (i, j) at rows[i] + cols[j]. A matrix and its
 * transpose have the same spectrum, so the smaller side becomes the rows.
 */
export function matricizationOffsets(
  shape: readonly number[],
  rowModes: readonly number[],
): { rows: Int32Array; cols: Int32Array } {
  const sides = [rowModes, complement(rowModes, shape.length)].map((modes) =>
    offsetsAlong(shape, modes),
  );
  const [rows, cols] = sides.sort((a, b) => a.length - b.length);
  return { rows, cols };
}

/** Where the entries lie whose indices at `modes` run through all values, the others being 0. */
function offsetsAlong(shape: readonly number[], modes: readonly number[]): Int32Array {
  const strides = ndarray(new Uint8Array(0), [...shape]).stride;
  let offsets = Int32Array.of(0);
  for (const mode of modes) {
    const size = shape[mode];
    offsets = Int32Array.from(
      { length: offsets.length * size },
      (_, i) => offsets[Math.floor(i / size)] + (i % size) * strides[mode],
    );
  }
  return offsets;
}
