import type { Callback } from "../fit/callback.ts";
import type { MetricsWriter } from "../run-folder/metrics-writer.ts";

/** Records every `epochLogInterval`-th epoch, every validation and the epoch of a stop in metrics.jsonl. */
export function metricsStream(writer: MetricsWriter, epochLogInterval: number): Callback {
  return {
    onEpochEnd(fit) {
      const isLogged =
        fit.validated ||
        fit.stop !== undefined ||
        (epochLogInterval > 0 && (fit.epoch + 1) % epochLogInterval === 0);
      if (isLogged) writer.append(fit.epoch, fit.elapsedSeconds());
    },
    onFitEnd: () => writer.flush({ durable: true }),
  };
}
