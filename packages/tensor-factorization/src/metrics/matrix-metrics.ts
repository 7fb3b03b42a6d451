import { determinant } from "../linear-algebra/determinant.ts";
import type { Factorization, Floats, MatrixSpec } from "../model/types.ts";
import { balancednessGroup, layerEntriesGroup, layerSpectrumGroup } from "./layer-metrics.ts";
import {
  composeMetrics,
  lazyTensor,
  type FactorizationMetrics,
  type MetricGroup,
  numberedInfos,
} from "./metric.ts";
import { frobeniusNorm } from "./norms.ts";
import { effectiveRank, matrixRank, nuclearNorm } from "./ranks.ts";
import { reconstructionError } from "./reconstruction.ts";
import { createSpectrum, type SpectrumFactory } from "./spectrum.ts";

/** Which metrics of a deep matrix factorization are tracked. */
export interface MatrixMetricsOptions {
  /** rows × cols, row-major; without it there are no reconstruction metrics. */
  readonly targetMatrix?: Floats;
  /** 10 unless told. */
  readonly numSingularValues?: number;
  /** `e2e_determinant`, of the leading square. */
  readonly determinant?: boolean;
  /** Balancedness, and singular values of every layer. */
  readonly layers?: boolean;
  /** Entries (row, column) of the end-to-end matrix, and of every layer if `layers`. */
  readonly entries?: readonly (readonly [number, number])[];
  /** How singular values are computed; `createSpectrum` unless an engine has a faster way. */
  readonly spectrum?: SpectrumFactory;
}

/** The metrics of a deep matrix factorization, under the names of the metrics reference. */
export function createMatrixMetrics(
  factorization: Factorization & { readonly spec: MatrixSpec },
  options: MatrixMetricsOptions = {},
): FactorizationMetrics {
  const { spec } = factorization;
  const rows = spec.sizes[0];
  const cols = spec.sizes[spec.sizes.length - 1];
  const { targetMatrix, entries = [], layers = false } = options;
  const tracked = options.numSingularValues ?? 10;
  const groups: MetricGroup[] = [];
  if (layers) {
    groups.push(
      balancednessGroup(factorization),
      layerEntriesGroup(factorization, entries),
      layerSpectrumGroup(factorization, tracked),
    );
  }
  const spectrum = spectrumGroups(rows, cols, tracked, options.spectrum ?? createSpectrum);
  groups.push(spectrum.norms);
  if (options.determinant) groups.push(determinantGroup(rows, cols));
  if (entries.length > 0) groups.push(entriesGroup(cols, entries));
  if (targetMatrix !== undefined) groups.push(reconstructionGroup(targetMatrix));
  groups.push(spectrum.singularValues);
  return composeMetrics(groups, lazyTensor(factorization));
}

/** The norms group computes the spectrum, which the later group of singular values copies. */
function spectrumGroups(
  rows: number,
  cols: number,
  tracked: number,
  factory: SpectrumFactory,
): { norms: MetricGroup; singularValues: MetricGroup } {
  const spectrum = factory([rows, cols], [0]);
  const shown = Math.min(tracked, spectrum.count);
  let values: Float64Array = new Float64Array(spectrum.count);
  return {
    norms: {
      infos: ["fro_e2e_norm", "nuc_e2e_norm", "e2e_effective_rank", "e2e_rank"].map((name) => ({
        name,
      })),
      fill(out, at, tensor) {
        values = spectrum.singularValues(tensor);
        out[at] = frobeniusNorm(tensor);
        out[at + 1] = nuclearNorm(values);
        out[at + 2] = effectiveRank(values);
        out[at + 3] = matrixRank(values, rows, cols);
      },
    },
    singularValues: {
      infos: numberedInfos(shown, "e2e singular values", (i) => `singular_value_${i}`),
      fill(out, at) {
        for (let i = 0; i < shown; i++) out[at + i] = values[i];
      },
    },
  };
}

function determinantGroup(rows: number, cols: number): MetricGroup {
  const size = Math.min(rows, cols);
  const square = new Float64Array(size * size);
  return {
    infos: [{ name: "e2e_determinant" }],
    fill(out, at, tensor) {
      for (let i = 0; i < size; i++) {
        for (let j = 0; j < size; j++) square[i * size + j] = tensor[i * cols + j];
      }
      out[at] = determinant(square, size);
    },
  };
}

function entriesGroup(cols: number, entries: readonly (readonly [number, number])[]): MetricGroup {
  return {
    infos: entries.map(([i, j]) => ({ name: `e2e_${i}_${j}_value`, tag: "E2E Matrix Values" })),
    fill(out, at, tensor) {
      for (let e = 0; e < entries.length; e++) {
        out[at + e] = tensor[entries[e][0] * cols + entries[e][1]];
      }
    },
  };
}

function reconstructionGroup(target: Floats): MetricGroup {
  const norm = frobeniusNorm(target);
  return {
    infos: [{ name: "reconstruction_error" }, { name: "normalized_reconstruction_error" }],
    fill(out, at, tensor) {
      const error = reconstructionError(tensor, target);
      out[at] = error;
      out[at + 1] = error / (norm === 0 ? 1 : norm);
    },
  };
}
