import type { NumberValue } from "d3";
import type { D3, Scale } from "./d3-types.ts";

/**
 * Numbers on a linear axis, with as many decimals as its steps need.
 *
 * @param step the distance of its ticks; absent: that of about six.
 * @param separator between thousands.
 */
export function numberFormat(
  d3: D3,
  scale: Scale,
  step?: number,
  separator: "," | "" = ",",
): (value: NumberValue) => string {
  const [low = 0, high = 1] = scale.domain();
  const largest = Math.max(Math.abs(low), Math.abs(high));
  if (largest >= 1e7 || largest < 1e-3) return d3.format(".3~e");
  const decimals = d3.precisionFixed(Math.abs(step ?? d3.tickStep(low, high, 6)));
  return d3.format(`${separator}.${Math.max(0, decimals)}f`);
}

/** Powers of ten where a logarithmic axis is long (at most `most`), and 1, 2, 5 times them where it is short. */
export function logTicks([low = 1, high = 1]: readonly number[], most = 7): readonly number[] {
  const decades = Math.log10(high) - Math.log10(low);
  const every = Math.max(1, Math.ceil(decades / most));
  const steps = decades < 2 ? [1, 2, 5] : [1];
  const values: number[] = [];
  for (const power of powersBetween(low, high)) {
    if (power % every !== 0) continue;
    for (const step of steps) values.push(step * 10 ** power);
  }
  return values.filter((value) => value >= low && value <= high);
}

/** The exponents of ten from below `low` to above `high`; none unless both are positive and finite. */
export function powersBetween(low: number, high: number): readonly number[] {
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  if (!Number.isFinite(first) || !Number.isFinite(last)) return [];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

/** 100 as 10², 0.02 as 2·10⁻². */
export function powerOfTen(value: number): string {
  const power = Math.floor(Math.log10(value) + 1e-9);
  const factor = Math.round(value / 10 ** power);
  const exponent = String(power)
    .replaceAll("-", "⁻")
    .replaceAll(/\d/g, (digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)]!);
  return `${factor === 1 ? "" : `${factor}·`}10${exponent}`;
}
