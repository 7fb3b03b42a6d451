import type { KernelRuntime } from "@implicit-rank/simd-backend";
import { matricizationOffsets, type Spectrum } from "../../metrics/spectrum.ts";
import { type Arena, reserveDoubles, reserveFloats } from "./arena.ts";

/** Work space that all spectra of one shape share. */
export interface SpectrumBuffers {
  /** A matricization, its Gram matrix in float64, and the eigenvalues of that. */
  readonly matrix: number;
  readonly gram: number;
  readonly eigenvalues: number;
}

/** Reserves the work space for matricizations of a tensor of this shape. */
export function reserveSpectrum(arena: Arena, shape: readonly number[]): SpectrumBuffers {
  const entries = shape.reduce((product, size) => product * size, 1);
  const largestSide = Math.floor(Math.sqrt(entries));
  return {
    matrix: reserveFloats(arena, "matricization", entries),
    gram: reserveDoubles(arena, "Gram matrix", largestSide * largestSide),
    eigenvalues: reserveDoubles(arena, "eigenvalues", largestSide),
  };
}

/**
 * Singular values of a matricization in kernel memory: √λ of the smaller side's Gram matrix, which is
 * accumulated in float64, so that what is lost (1e-8 of the largest) is below the rounding of the
 * float32 entries themselves.
 */
export function recordSpectrum(
  runtime: KernelRuntime,
  buffers: SpectrumBuffers,
  shape: readonly number[],
  rowModes: readonly number[],
): Spectrum {
  const { rows, cols } = matricizationOffsets(shape, rowModes);
  const [count, width] = [rows.length, cols.length];
  const program = runtime.program();
  program.gramFloat64({
    a: buffers.matrix,
    rows: count,
    cols: width,
    lda: width,
    out: buffers.gram,
  });
  const gram = program.compile();
  const matrix = runtime.floats(buffers.matrix, count * width);
  const eigenvalues = runtime.doubles(buffers.eigenvalues, count);
  const values = new Float64Array(count);
  return {
    count,
    singularValues(tensor) {
      let at = 0;
      for (let i = 0; i < count; i++)
        for (let j = 0; j < width; j++) matrix[at++] = tensor[rows[i] + cols[j]];
      if (!isFinite(matrix)) return values.fill(NaN);
      gram.run();
      runtime.symmetricEigenvalues(buffers.gram, count, buffers.eigenvalues);
      for (let i = 0; i < count; i++) values[i] = Math.sqrt(Math.max(0, eigenvalues[i]));
      return values;
    },
  };
}

/** A sum is finite only if all its terms are; of float32 terms it cannot overflow. */
function isFinite(matrix: Float32Array): boolean {
  let sum = 0;
  for (let i = 0; i < matrix.length; i++) sum += matrix[i];
  return Number.isFinite(sum);
}
