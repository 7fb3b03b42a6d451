import type { CpSpec, Factorization, Floats, ParameterLayout } from "../model/types.ts";
import {
  composeMetrics,
  type FactorizationMetrics,
  type MetricGroup,
  numberedInfos,
} from "./metric.ts";
import { columnNorms } from "./norms.ts";
import { topValues } from "./top-values.ts";

/** @inline */
type Cp = Factorization & { readonly spec: CpSpec };

/**
 * The norms of a CP factorization, under the names of the metrics reference: of its factors, of the
 * largest columns of each factor, of the largest components. Needs no tensor.
 */
export function createCpMetrics(
  factorization: Cp,
  options: { readonly numTopToTrack?: number } = {},
): FactorizationMetrics {
  const { spec, layout, values } = factorization;
  const tracked = Math.min(options.numTopToTrack ?? 10, spec.components);
  const factors = layout.slice(0, spec.modeSizes.length);
  const norms = new Float64Array(spec.components);
  const groups: MetricGroup[] = [
    {
      infos: factors.map((_, n) => ({ name: `factor_${n}_fro_norm`, tag: "factors Fro norm" })),
      fill(out, at) {
        for (let n = 0; n < factors.length; n++) out[at + n] = matrixNorm(values, factors[n]);
      },
    },
    ...factors.map((factor, n) => ({
      infos: numberedInfos(
        tracked,
        `factor ${n} top cols Fro norm`,
        (k) => `factor_${n}_top_col_${k}_fro_norm`,
      ),
      fill(out: Float64Array, at: number) {
        columnNorms(values, factor, norms);
        topValues(norms, spec.components, tracked, out, at);
      },
    })),
    componentGroup(factorization, tracked),
  ];
  return composeMetrics(groups, () => values);
}

function componentGroup({ spec, layout, values }: Cp, tracked: number): MetricGroup {
  const components = new Float64Array(spec.components);
  const norms = new Float64Array(spec.components);
  return {
    infos: numberedInfos(tracked, "top components Fro norm", (k) => `top_component_${k}_fro_norm`),
    fill(out, at) {
      fillComponentNorms(values, layout, spec, components, norms);
      topValues(components, spec.components, tracked, out, at);
    },
  };
}

function fillComponentNorms(
  values: Floats,
  layout: readonly ParameterLayout[],
  spec: CpSpec,
  components: Float64Array,
  norms: Float64Array,
): void {
  components.fill(1);
  for (let n = 0; n < spec.modeSizes.length; n++) {
    columnNorms(values, layout[n], norms);
    for (let r = 0; r < spec.components; r++) components[r] *= norms[r];
  }
}

/** Π_n ‖F_n[:, r]‖ for each component r, descending (output weights not counted). */
export function componentNorms({ spec, layout, values }: Cp): Float64Array {
  const components = new Float64Array(spec.components);
  fillComponentNorms(values, layout, spec, components, new Float64Array(spec.components));
  return components.sort().reverse();
}

function matrixNorm(values: Floats, { rows, cols, offset }: ParameterLayout): number {
  let sum = 0;
  for (let i = offset; i < offset + rows * cols; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}

/** The `k` largest column norms of parameter matrix `index`, descending: for any model. */
export function topColumnNorms(
  { layout, values }: Factorization,
  index: number,
  k: number,
): Float64Array {
  const { cols } = layout[index];
  const norms = new Float64Array(cols);
  const top = new Float64Array(Math.min(k, cols));
  columnNorms(values, layout[index], norms);
  topValues(norms, cols, top.length, top, 0);
  return top;
}
