import { frobeniusNorm } from "./norms.ts";

/** ‖prediction - target‖. */
export function reconstructionError(
  prediction: ArrayLike<number>,
  target: ArrayLike<number>,
): number {
  return Math.sqrt(squaredDistance(prediction, target));
}

/** ‖prediction - target‖ / ‖target‖; not divided if the target is zero. */
export function normalizedReconstructionError(
  prediction: ArrayLike<number>,
  target: ArrayLike<number>,
): number {
  const norm = frobeniusNorm(target);
  return reconstructionError(prediction, target) / (norm === 0 ? 1 : norm);
}

/** ‖prediction - target‖² / n. */
export function meanSquaredError(prediction: ArrayLike<number>, target: ArrayLike<number>): number {
  return squaredDistance(prediction, target) / target.length;
}

/** Σ (prediction - target)² over the entries from `from` to `to` - 1, all unless told. */
export function squaredDistance(
  prediction: ArrayLike<number>,
  target: ArrayLike<number>,
  from = 0,
  to: number = target.length,
): number {
  let sum = 0;
  for (let i = from; i < to; i++) {
    const difference = prediction[i] - target[i];
    sum += difference * difference;
  }
  return sum;
}
