/** Φ(x), by the series x - x³/(2·3) + … near 0 and the continued fraction of the tail elsewhere; to 1e-14. */
export function normalCdf(x: number): number {
  if (x < 0) return upperTail(-x);
  return 1 - upperTail(x);
}

/** P(X > x) for x ≥ 0. */
export function upperTail(x: number): number {
  const density = Math.exp(-0.5 * x * x) / Math.sqrt(2 * Math.PI);
  if (x < 2.5) {
    let term = x;
    let sum = x;
    for (let n = 3; n < 200; n += 2) {
      term *= (x * x) / n;
      sum += term;
    }
    return 0.5 - density * sum;
  }
  let fraction = x;
  for (let n = 300; n >= 1; n--) fraction = x + n / fraction;
  return density / fraction;
}
