import type { MetricInfo, TorchConversion } from "../experiment.ts";
import type { TorchCheckpoint } from "./torch-checkpoint.ts";

/** A metric of the last epoch, as the checkpoint stores it and as it is computed from the parameters. */
export interface ComparedValue {
  readonly name: string;
  readonly stored: number;
  readonly computed: number;
  readonly verdict: "equal" | "different" | "may differ";
  /** Why it may differ. */
  readonly reason?: string;
}

/**
 * The scripts compute in single precision (2⁻²⁴ a rounding), through products and decompositions of matrices
 * that amplify it: values agree to three digits, and small ones among large ones of their tag (the last
 * singular values) to 1e-5 of the largest.
 */
const RELATIVE = 1e-3;
const OF_THE_LARGEST = 1e-5;

/**
 * Compares the validation metrics that were measured in the checkpoint's last epoch, so after its last update,
 * with values computed from its parameters. Train metrics are measured before an epoch's update, so those of
 * the last epoch cannot be computed any more.
 */
export function compareStored(
  { epoch, metrics }: TorchCheckpoint,
  infos: readonly MetricInfo[],
  values: Float64Array,
  conversion: Pick<TorchConversion, "mayDiffer">,
): readonly ComparedValue[] {
  const stored = new Map(metrics.validation.map(({ name, last }) => [name, last]));
  const largest = new Map<string, number>();
  infos.forEach(({ tag }, i) => {
    if (tag !== undefined) largest.set(tag, Math.max(largest.get(tag) ?? 0, Math.abs(values[i]!)));
  });
  return infos.flatMap(({ name, tag = name }, i) => {
    const last = stored.get(name);
    if (last?.epoch !== epoch) return [];
    const computed = values[i]!;
    const bound =
      RELATIVE * Math.max(Math.abs(last.value), Math.abs(computed)) +
      OF_THE_LARGEST * (largest.get(tag) ?? 0);
    const isEqual = Object.is(last.value, computed) || Math.abs(last.value - computed) <= bound;
    const reason = conversion.mayDiffer(name);
    const verdict = isEqual ? "equal" : reason === undefined ? "different" : "may differ";
    const why = verdict === "may differ" ? { reason: reason! } : {};
    return [{ name, stored: last.value, computed, verdict, ...why } as const];
  });
}
