import type { HierarchicalSpec } from "../model/types.ts";

/** What the log says of a hierarchical factorization. */
export function hierarchicalMetadata(spec: HierarchicalSpec): Record<string, unknown> {
  return {
    "HT factorization hidden layers widths": spec.widths,
    "HT factorization num hidden layers": spec.widths.length,
    "HT factorization depth": spec.widths.length + 1,
  };
}
