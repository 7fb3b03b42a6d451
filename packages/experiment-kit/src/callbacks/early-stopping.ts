import type { ArrayFile } from "@implicit-rank/array-files";
import type { Callback, Fit } from "../fit/callback.ts";
import type { MetricReference } from "../fit/metric-values.ts";
import { StopRequest } from "../fit/stop-request.ts";
import { jsonField, numberFromJson, numberToJson } from "../json.ts";
import { isCheckEpoch } from "./check-epoch.ts";
import { copyArrayFile } from "./copy-array-file.ts";

/** Of `earlyStopping`; `minDelta`, `patience` and `cooldown` are 0 unless told. */
export interface EarlyStoppingOptions {
  readonly metric: MetricReference;
  readonly largest: boolean;
  readonly minDelta?: number;
  readonly patience?: number;
  readonly cooldown?: number;
  readonly restoreBestWeights?: boolean;
}

/**
 * Stops when the score has not improved by more than `minDelta` at more than `patience` checks in a row;
 * no checks before epoch `cooldown`. With `restoreBestWeights` the model ends as it was at its best
 * check.
 */
export function earlyStopping(options: EarlyStoppingOptions): Callback {
  const {
    metric,
    largest,
    minDelta = 0,
    patience = 0,
    cooldown = 0,
    restoreBestWeights = false,
  } = options;
  const { group, index } = metric;
  let best = largest ? -Infinity : Infinity;
  let bestEpoch = -1;
  let withoutImprovement = 0;
  let bestModel: ArrayFile | undefined;
  const keepModel = async (fit: Fit): Promise<void> => {
    bestModel = copyArrayFile(await fit.trainable.save());
  };

  return {
    onEpochEnd(fit: Fit) {
      if (!isCheckEpoch(fit, cooldown)) return undefined;
      const score = group.values[index]!;
      if (largest ? score - minDelta > best : score + minDelta < best) {
        best = score;
        bestEpoch = fit.epoch;
        withoutImprovement = 0;
        return restoreBestWeights ? keepModel(fit) : undefined;
      }
      withoutImprovement++;
      if (withoutImprovement > patience) {
        throw new StopRequest(
          "rule",
          `early stop: ${metric.name} has not improved on ${best} (epoch ${bestEpoch}) for ${withoutImprovement} checks`,
        );
      }
      return undefined;
    },
    async onFitEnd(fit: Fit) {
      const isOver = fit.stop?.kind !== "interrupted" && fit.stop?.kind !== "not-finite";
      if (restoreBestWeights && bestModel !== undefined && isOver)
        await fit.trainable.restore(bestModel);
    },
    state: () => ({ best: numberToJson(best), bestEpoch, withoutImprovement }),
    restoreState(state) {
      best = numberFromJson(jsonField(state, "best"));
      bestEpoch = numberFromJson(jsonField(state, "bestEpoch"));
      withoutImprovement = numberFromJson(jsonField(state, "withoutImprovement"));
    },
    arrays: () => bestModel,
    restoreArrays(saved) {
      bestModel = copyArrayFile(saved);
    },
  };
}
