import type { Callback, Fit } from "../fit/callback.ts";
import type { MetricValues } from "../fit/metric-values.ts";
import { StopRequest } from "../fit/stop-request.ts";

/**
 * Stops as soon as a train or validation metric is NaN or infinite; with `verifyBatches` the values of
 * every batch are checked too.
 */
export function terminateOnNaN(options: { readonly verifyBatches?: boolean } = {}): Callback {
  const check = ({ infos }: MetricValues, values: Float64Array, fit: Fit, batch?: number): void => {
    for (let i = 0; i < values.length; i++) {
      if (Number.isFinite(values[i])) continue;
      throw notFinite(infos[i]!.name, values[i]!, fit, batch);
    }
  };
  return {
    ...(options.verifyBatches === true
      ? {
          onTrainBatchEnd: (fit: Fit, batch: number) =>
            check(fit.metrics.train, fit.batchValues, fit, batch),
        }
      : {}),
    onEpochTrainEnd: (fit) => check(fit.metrics.train, fit.metrics.train.values, fit),
    onEpochValidationEnd: (fit) =>
      check(fit.metrics.validation, fit.metrics.validation.values, fit),
  };
}

function notFinite(
  metric: string,
  value: number,
  { epoch, trainable }: Fit,
  batch: number | undefined,
): StopRequest {
  const what = Number.isNaN(value) ? "NaN" : "infinite";
  const place = batch === undefined ? "" : `, batch ${batch + 1} of ${trainable.batchesPerEpoch}`;
  return new StopRequest(
    "not-finite",
    `${metric} became ${what} at epoch ${epoch}${place}; a smaller learning rate or initialization may help`,
  );
}
