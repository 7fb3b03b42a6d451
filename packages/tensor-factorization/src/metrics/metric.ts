import type { Factorization, Floats } from "../model/types.ts";
import { compileFullTensor } from "../tensor/full-tensor.ts";

/** A metric's name and, if it shares a plot with others, their tag. */
export interface MetricInfo {
  readonly name: string;
  readonly tag?: string;
}

/** Metrics of one factorization, computed on arrays made once. */
export interface FactorizationMetrics {
  readonly infos: readonly MetricInfo[];
  /**
   * Writes the metrics of the present parameters to the first places of `values`, in the order of
   * `infos`. `tensor` is the full tensor in mode order (the end-to-end matrix for MF), if the caller
   * has it; else it is contracted here.
   */
  evaluate(values: Float64Array, tensor?: Floats): void;
}

/** Some metrics that are computed together. */
export interface MetricGroup {
  readonly infos: readonly MetricInfo[];
  /** Writes one value for each of `infos` to `out`, from `at` on. */
  fill(out: Float64Array, at: number, tensor: Floats): void;
}

/** Metrics in the order of their groups. `contract` makes the full tensor if none is given. */
export function composeMetrics(
  groups: readonly MetricGroup[],
  contract: () => Floats,
): FactorizationMetrics {
  return {
    infos: groups.flatMap(({ infos }) => infos),
    evaluate(values, tensor = contract()) {
      let at = 0;
      for (const group of groups) {
        group.fill(values, at, tensor);
        at += group.infos.length;
      }
    },
  };
}

/** Contracts the full tensor; its arrays are made when it is first asked for, if ever. */
export function lazyTensor(factorization: Factorization): () => Floats {
  let contract: ReturnType<typeof compileFullTensor> | undefined;
  return () => {
    contract ??= compileFullTensor(factorization);
    return contract().data;
  };
}

/** `count` metrics of one tag, their names made of their number. */
export function numberedInfos(
  count: number,
  tag: string,
  nameOf: (index: number) => string,
): MetricInfo[] {
  return Array.from({ length: count }, (_, index) => ({ name: nameOf(index), tag }));
}
