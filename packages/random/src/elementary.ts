/**
 * exp and log out of +, -, × and ÷ alone. ECMAScript leaves the last bits of `Math.exp` and `Math.log` to
 * the implementation; these give the same bits in every engine on every machine.
 */
const LN2_HIGH = 0.69314718036912381649; // the leading 33 bits, so that k · LN2_HIGH is exact
const LN2_LOW = 1.90821492927058770002e-10;
const LN2 = 0.6931471805599453;
const SQRT_HALF = 0.7071067811865476;

/** e^x for -700 ≤ x ≤ 0, to about 1 unit in the last place: x = k ln 2 + r, Taylor series in r. */
export function exp(x: number): number {
  const k = Math.floor(x / LN2 + 0.5);
  const r = x - k * LN2_HIGH - k * LN2_LOW;
  let sum = 1;
  for (let n = 15; n >= 1; n--) sum = 1 + (sum * r) / n;
  let scaled = sum;
  for (let i = 0; i > k; i--) scaled *= 0.5;
  return scaled;
}

/** Natural logarithm for 2^-60 ≤ x ≤ 1: x = m 2^-k with m around 1, then 2 artanh((m - 1) / (m + 1)). */
export function log(x: number): number {
  let m = x;
  let k = 0;
  while (m < SQRT_HALF) {
    m *= 2;
    k++;
  }
  const s = (m - 1) / (m + 1);
  const square = s * s;
  let sum = 0;
  for (let n = 27; n >= 1; n -= 2) sum = sum * square + 1 / n;
  return 2 * s * sum - k * LN2_LOW - k * LN2_HIGH;
}
