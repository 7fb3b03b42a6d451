import type { Callback, Fit } from "../fit/callback.ts";
import type { MetricValues } from "../fit/metric-values.ts";
import { StopRequest } from "../fit/stop-request.ts";

/**
 * Stops as soon as a train or validation metric is NaN or infinite; with `verifyBatches` the values of
 * every batch are checked too.
 */
export function terminateOnNaN(options: { readonly verifyBatches?: boolean } = {}): Callback {
  const check = ({ infos }: MetricValues, values: Float64Array, fit: Fit): void => {
    for (let i = 0; i < values.length; i++) {
      if (!Number.isFinite(values[i])) throw notFinite(infos[i]!.name, values[i]!, fit.epoch);
    }
  };
  return {
    ...(options.verifyBatches === true
      ? { onTrainBatchEnd: (fit: Fit) => check(fit.metrics.train, fit.batchValues, fit) }
      : {}),
    onEpochTrainEnd: (fit) => check(fit.metrics.train, fit.metrics.train.values, fit),
    onEpochValidationEnd: (fit) =>
      check(fit.metrics.validation, fit.metrics.validation.values, fit),
  };
}

function notFinite(metric: string, value: number, epoch: number): StopRequest {
  const what = Number.isNaN(value) ? "NaN" : "infinite";
  return new StopRequest(
    "not-finite",
    `${metric} became ${what} at epoch ${epoch}; a smaller learning rate or initialization may help`,
  );
}
