/** Mean over samples of ρ(prediction - target). Huber is PyTorch's smooth L1 with beta = threshold. */
export type Loss = { kind: "l2" } | { kind: "l1" } | { kind: "huber"; threshold: number };

/** ρ(d): d², |d|, or d²/(2β) for |d| < β and |d| - β/2 beyond. */
export function sampleLoss(loss: Loss, residual: number): number {
  const size = Math.abs(residual);
  switch (loss.kind) {
    case "l2":
      return residual * residual;
    case "l1":
      return size;
    case "huber":
      return size < loss.threshold
        ? (residual * residual) / (2 * loss.threshold)
        : size - loss.threshold / 2;
  }
}

/** ρ'(d): 2d, sign(d) (0 at 0), or d/β for |d| < β and sign(d) beyond. */
export function sampleLossDerivative(loss: Loss, residual: number): number {
  switch (loss.kind) {
    case "l2":
      return 2 * residual;
    case "l1":
      return Math.sign(residual);
    case "huber":
      return Math.abs(residual) < loss.threshold ? residual / loss.threshold : Math.sign(residual);
  }
}
