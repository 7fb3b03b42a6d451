import type { RandomGenerator } from "pure-rand/types/RandomGenerator";
import { exp, log } from "./elementary.ts";

/**
 * Standard normal numbers by the ziggurat method (Marsaglia and Tsang 2000, with the separate random
 * bits for strip and abscissa of Doornik 2005): 256 horizontal strips of equal area cover the density
 * f(x) = exp(-x²/2); a uniform point of a uniform strip is nearly always under the curve.
 */
const STRIPS = 256;
/** Right end of the base strip, the solution of "256 equal areas, the last closing at f(0) = 1". */
const TAIL_START = 3.6541528853610088;
const U_SCALE = 2 ** -55;

interface Strips {
  /** Right end of strip i; entry 0 is the width of a rectangle with the area of base strip and tail. */
  readonly right: Float64Array;
  /** Share of strip i that lies under the curve whatever the height: right[i + 1] / right[i]. */
  readonly inside: Float64Array;
  /** Density at right[i]. */
  readonly density: Float64Array;
}

/** ∫_x^∞ exp(-t²/2) dt by its continued fraction f(x) / (x + 1/(x + 2/(x + 3/(x + …)))). */
function tailArea(x: number): number {
  let fraction = x;
  for (let n = 200; n >= 1; n--) fraction = x + n / fraction;
  return exp(-0.5 * x * x) / fraction;
}

export function buildStrips(): Strips {
  const right = new Float64Array(STRIPS + 1);
  const density = new Float64Array(STRIPS + 1);
  const inside = new Float64Array(STRIPS);
  const densityAtTail = exp(-0.5 * TAIL_START * TAIL_START);
  const area = TAIL_START * densityAtTail + tailArea(TAIL_START);
  right[0] = area / densityAtTail;
  right[1] = TAIL_START;
  density[0] = densityAtTail;
  density[1] = densityAtTail;
  for (let i = 2; i < STRIPS; i++) {
    density[i] = density[i - 1]! + area / right[i - 1]!;
    right[i] = Math.sqrt(-2 * log(density[i]!));
  }
  right[STRIPS] = 0;
  density[STRIPS] = 1;
  for (let i = 0; i < STRIPS; i++) inside[i] = right[i + 1]! / right[i]!;
  return { right, inside, density };
}

const { right, inside, density } = buildStrips();

/** 53 random bits in [0, 1). */
export function uniform(generator: RandomGenerator): number {
  const high = generator.next() >>> 5;
  const low = generator.next() >>> 6;
  return (high * 2 ** 26 + low) * 2 ** -53;
}

/** One standard normal number from 64 random bits (rarely more). */
export function standardNormal(generator: RandomGenerator): number {
  for (;;) {
    const bits = generator.next();
    const strip = bits >>> 24;
    const u = (((bits << 8) >> 8) * 2 ** 32 + (generator.next() >>> 0)) * U_SCALE; // [-1, 1]
    const x = u * right[strip]!;
    if (Math.abs(u) < inside[strip]!) return x;
    if (strip === 0) return tail(generator, u < 0);
    const floor = density[strip]!;
    const height = floor + uniform(generator) * (density[strip + 1]! - floor);
    if (height < exp(-0.5 * x * x)) return x;
  }
}

/** A normal number conditioned on |x| > TAIL_START (Marsaglia 1964): exponential proposals, rejection. */
function tail(generator: RandomGenerator, negative: boolean): number {
  for (;;) {
    const beyond = -log(1 - uniform(generator)) / TAIL_START;
    const exponential = -log(1 - uniform(generator));
    if (2 * exponential >= beyond * beyond) {
      return negative ? -TAIL_START - beyond : TAIL_START + beyond;
    }
  }
}
