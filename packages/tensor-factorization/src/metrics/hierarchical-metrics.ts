import { internalNodes } from "../mode-tree/mode-tree.ts";
import { modeTreeOf } from "../model/parameter-layout.ts";
import type { Factorization, Floats, HierarchicalSpec, ParameterLayout } from "../model/types.ts";
import { complement, validateModes } from "../tensor/matricization.ts";
import {
  composeMetrics,
  lazyTensor,
  type FactorizationMetrics,
  type MetricGroup,
  numberedInfos,
} from "./metric.ts";
import { columnNorms, rowNorms } from "./norms.ts";
import { effectiveRank } from "./ranks.ts";
import { createSpectrum, type Spectrum, type SpectrumFactory } from "./spectrum.ts";
import { topValues } from "./top-values.ts";

/** @inline */
type Hierarchical = Factorization & { readonly spec: HierarchicalSpec };

/** Which metrics of a hierarchical factorization are tracked. */
export interface HierarchicalMetricsOptions {
  /** 15 unless told. */
  readonly numTopToTrack?: number;
  /** Row modes of matricizations to track beside those of the mode tree. */
  readonly additionalMatricizations?: readonly (readonly number[])[];
  /** Whether to track matricizations, which needs the full tensor; true unless told. */
  readonly matricizations?: boolean;
  /** How singular values are computed; `createSpectrum` unless an engine has a faster way. */
  readonly spectrum?: SpectrumFactory;
}

/**
 * The metrics of a hierarchical factorization, under the names of the metrics reference: the largest
 * weight vector norms of each matrix, the largest local component norms of each pooled group, and
 * effective rank and largest singular values of the tracked matricizations.
 *
 * @throws FactorizationError if an additional matricization is not one of the tensor.
 */
export function createHierarchicalMetrics(
  factorization: Hierarchical,
  options: HierarchicalMetricsOptions = {},
): FactorizationMetrics {
  const { numTopToTrack = 15, additionalMatricizations = [], matricizations = true } = options;
  const factory = options.spectrum ?? createSpectrum;
  const spectra = matricizations
    ? spectrumGroups(factorization.spec, numTopToTrack, additionalMatricizations, factory)
    : [];
  return composeMetrics(
    [...normGroups(factorization, numTopToTrack), ...spectra],
    lazyTensor(factorization),
  );
}

/** Matrix W_{l,i} of each layer and node, and the output weights if any. */
function matricesOf({ spec, layout }: Hierarchical): {
  layers: ParameterLayout[][];
  output: ParameterLayout | undefined;
} {
  let next = 0;
  const layers = modeTreeOf(spec).layers.map(({ nodes }) => nodes.map(() => layout[next++]));
  return { layers, output: layout[next] };
}

/**
 * Weight vector groups of all layers, then local component groups. The former compute the column
 * norms of their matrix, which the latter use.
 */
function normGroups(factorization: Hierarchical, numTop: number): MetricGroup[] {
  const { spec, values } = factorization;
  const { layers, output } = matricesOf(factorization);
  const columns = layers.map((layer) => layer.map(({ cols }) => new Float64Array(cols)));
  const weightVectors = layers.flatMap((layer, l) =>
    layer.map((matrix, node): MetricGroup => {
      const tracked = Math.min(numTop, matrix.cols);
      const norms = columns[l][node];
      return {
        infos: numberedInfos(
          tracked,
          `l ${l} f ${node} top wv norm`,
          (k) => `l_${l}_f_${node}_top_${k}_wv_norm`,
        ),
        fill(out, at) {
          columnNorms(values, matrix, norms);
          topValues(norms, matrix.cols, tracked, out, at);
        },
      };
    }),
  );
  const localComponents = modeTreeOf(spec).layers.flatMap(({ groups }, l) =>
    groups.map((group, g): MetricGroup => {
      const width = spec.widths[l];
      const tracked = Math.min(numTop, width);
      const label = group.join("_");
      const next = layers[l + 1]?.[g] ?? output;
      const norms = new Float64Array(width);
      const pooled = group.map((node) => columns[l][node]);
      return {
        infos: numberedInfos(
          tracked,
          `l ${l} f ${label} top local components norm`,
          (k) => `l_${l}_f_${label}_top_${k}_local_comp_norm`,
        ),
        fill(out, at) {
          fillLocalComponentNorms(values, next, pooled, norms);
          topValues(norms, width, tracked, out, at);
        },
      };
    }),
  );
  return [...weightVectors, ...localComponents];
}

/** norms[r] = ‖row r of the next matrix‖ (1 if there is none) · Π over pooled nodes of columns[r]. */
function fillLocalComponentNorms(
  values: Floats,
  next: ParameterLayout | undefined,
  pooled: readonly Float64Array[],
  norms: Float64Array,
): void {
  if (next === undefined) norms.fill(1);
  else rowNorms(values, next, norms);
  for (const columns of pooled) {
    for (let r = 0; r < norms.length; r++) norms[r] *= columns[r];
  }
}

/**
 * The norms of the local components at pooled group `group` of layer `layer`, descending: for each
 * r, Π over the group's nodes of ‖W_{l,i}[:, r]‖, times ‖row r of the next matrix‖, or |o_r| at the
 * last layer. The matricization of each pooled node has at most as high a rank as there are nonzero
 * ones (Razin, Maman, Cohen 2022, "Implicit regularization in hierarchical tensor factorization and
 * deep convolutional neural networks").
 */
export function localComponentNorms(
  factorization: Hierarchical,
  layer: number,
  group: number,
): Float64Array {
  const { values, spec } = factorization;
  const { layers, output } = matricesOf(factorization);
  const norms = new Float64Array(spec.widths[layer]);
  const pooled = modeTreeOf(spec).layers[layer].groups[group].map((node) => {
    const columns = new Float64Array(spec.widths[layer]);
    columnNorms(values, layers[layer][node], columns);
    return columns;
  });
  fillLocalComponentNorms(values, layers[layer + 1]?.[group] ?? output, pooled, norms);
  return norms.sort().reverse();
}

/**
 * All mode sets whose matricizations are tracked: those of the mode tree but the root, leaves first,
 * then additional ones that are not among them.
 */
export function trackedMatricizations(
  spec: HierarchicalSpec,
  additional: readonly (readonly number[])[] = [],
): readonly (readonly number[])[] {
  for (const modes of additional) validateModes(modes, spec.modeSizes.length);
  const all = [...internalNodes(modeTreeOf(spec)), ...additional];
  return [...new Map(all.map((modes) => [modes.join("_"), modes])).values()];
}

/**
 * Effective ranks of all tracked matricizations, then their singular values. Those of a mode set and
 * of its complement are the same, so each is computed once.
 */
function spectrumGroups(
  spec: HierarchicalSpec,
  numTop: number,
  additional: readonly (readonly number[])[],
  factory: SpectrumFactory,
): MetricGroup[] {
  const order = spec.modeSizes.length;
  const tracked = trackedMatricizations(spec, additional);
  const spectra: Spectrum[] = [];
  const numbers = new Map<string, number>();
  const spectrumOf = tracked.map((modes) => {
    const key = splitKey(modes, order);
    const number = numbers.get(key) ?? spectra.push(factory(spec.modeSizes, modes)) - 1;
    numbers.set(key, number);
    return number;
  });
  const values: Float64Array[] = spectra.map(({ count }) => new Float64Array(count));
  const effectiveRanks: MetricGroup = {
    infos: tracked.map((modes) => ({
      name: `mat_${modes.join("_")}_eff_rank`,
      tag: "mats effective rank",
    })),
    fill(out, at, tensor) {
      for (let s = 0; s < spectra.length; s++) values[s] = spectra[s].singularValues(tensor);
      for (let m = 0; m < tracked.length; m++) out[at + m] = effectiveRank(values[spectrumOf[m]]);
    },
  };
  const singularValues = tracked.map((modes, m): MetricGroup => {
    const label = modes.join("_");
    const count = Math.min(numTop, spectra[spectrumOf[m]].count);
    return {
      infos: numberedInfos(
        count,
        `mat ${label} top sing vals`,
        (k) => `mat_${label}_sing_val_${k}`,
      ),
      fill(out, at) {
        for (let k = 0; k < count; k++) out[at + k] = values[spectrumOf[m]][k];
      },
    };
  });
  return [effectiveRanks, ...singularValues];
}

/** The same for a mode set and its complement. */
function splitKey(modes: readonly number[], order: number): string {
  const side = modes.includes(0) ? modes : complement(modes, order);
  return [...side].sort((a, b) => a - b).join("_");
}
