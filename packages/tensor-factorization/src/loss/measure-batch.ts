import type { StepResult } from "../engines/engine.ts";
import { type Loss, sampleLoss, sampleLossDerivative } from "./loss.ts";

/**
 * Fills `result` with the loss and statistics of `count` predictions and `predictionGradient` with
 * the derivative of the mean loss by each. Position p belongs to sample batch[p], or p.
 */
export function measureBatch(
  loss: Loss,
  predictions: Float64Array,
  targets: Float32Array,
  batch: Int32Array | undefined,
  count: number,
  predictionGradient: Float64Array,
  result: StepResult,
): void {
  let lossSum = 0;
  let squareSum = 0;
  let absSum = 0;
  let absMax = 0;
  for (let p = 0; p < count; p++) {
    const prediction = predictions[p];
    const residual = prediction - targets[batch === undefined ? p : batch[p]];
    lossSum += sampleLoss(loss, residual);
    squareSum += residual * residual;
    absSum += Math.abs(prediction);
    absMax = Math.max(absMax, Math.abs(prediction));
    predictionGradient[p] = sampleLossDerivative(loss, residual) / count;
  }
  result.loss = lossSum / count;
  result.meanSquaredError = squareSum / count;
  result.predictionAbsMean = absSum / count;
  result.predictionAbsMax = absMax;
}
