import { xoroshiro128plusFromState } from "pure-rand/generator/xoroshiro128plus";
import type { JumpableRandomGenerator } from "pure-rand/types/JumpableRandomGenerator";
import { standardNormal, uniform } from "./gaussian.ts";
import { keyOfSeed, keyOfStream, type Key } from "./key.ts";

/** A seeded stream of random numbers: the same bits on every machine and JavaScript engine. */
export interface Random {
  /** Uniform integer in 0 … 2³² - 1. */
  uint32(): number;
  /** Uniform in [0, 1), a multiple of 2⁻⁵³. */
  uniform(): number;
  /** Uniform integer in 0 … bound - 1 without bias. Throws RangeError unless 1 ≤ bound ≤ 2⁵³ - 1. */
  int(bound: number): number;
  /** Gaussian, mean 0, standard deviation 1. */
  normal(): number;
  /** Fills `out` with independent Gaussian numbers; a Float32Array rounds each to the nearest float. */
  fillNormal(out: Float32Array | Float64Array, mean: number, std: number): void;
  /** Uniform permutation in place (Fisher-Yates). */
  shuffle(values: Int32Array | Uint32Array | unknown[]): void;
  /**
   * `count` distinct integers of 0 … bound - 1 in random order: every ordered choice is equally likely.
   * Memory grows with the smaller of `bound` and `count`. Throws RangeError if count > bound or
   * bound > 2³¹.
   */
  sampleWithoutReplacement(bound: number, count: number): Int32Array;
  /**
   * The generator of a named stream. It depends on the seed and the names on the way to it only, so the
   * same name always gives the same numbers, and neither generator influences the other.
   */
  fork(stream: string): Random;
  /** Everything needed to go on later: pass it, also after JSON, to `restoreRandom`. */
  state(): readonly number[];
}

class SeededRandom implements Random {
  readonly #key: Key;
  readonly #generator: JumpableRandomGenerator;

  constructor(key: Key, generator: JumpableRandomGenerator) {
    this.#key = key;
    this.#generator = generator;
  }

  uint32(): number {
    return this.#generator.next() >>> 0;
  }

  uniform(): number {
    return uniform(this.#generator);
  }

  int(bound: number): number {
    if (!Number.isSafeInteger(bound) || bound < 1) {
      throw new RangeError(`Random.int: bound must be an integer from 1 to 2^53 - 1, got ${bound}`);
    }
    // Equal buckets of the high bits, which are better than the low ones; what is left over is redrawn.
    const wide = bound > 2 ** 32;
    const bucket = Math.floor((wide ? 2 ** 53 : 2 ** 32) / bound);
    for (;;) {
      const drawn = wide ? this.uniform() * 2 ** 53 : this.uint32();
      const index = Math.floor(drawn / bucket);
      if (index < bound) return index;
    }
  }

  normal(): number {
    return standardNormal(this.#generator);
  }

  fillNormal(out: Float32Array | Float64Array, mean: number, std: number): void {
    const generator = this.#generator;
    for (let i = 0; i < out.length; i++) out[i] = mean + std * standardNormal(generator);
  }

  shuffle(values: Int32Array | Uint32Array | unknown[]): void {
    for (let last = values.length - 1; last > 0; last--) {
      const other = this.int(last + 1);
      const kept = values[last];
      values[last] = values[other]!;
      values[other] = kept as number;
    }
  }

  sampleWithoutReplacement(bound: number, count: number): Int32Array {
    if (!Number.isInteger(bound) || bound < 0 || bound > 2 ** 31) {
      throw new RangeError(`sampleWithoutReplacement: bound must be in 0 … 2^31, got ${bound}`);
    }
    if (!Number.isInteger(count) || count < 0 || count > bound) {
      throw new RangeError(
        `sampleWithoutReplacement: cannot draw ${count} distinct integers of ${bound}`,
      );
    }
    // The first steps of Fisher-Yates on 0 … bound - 1, of which only the moved entries are kept.
    const moved = new Map<number, number>();
    const sample = new Int32Array(count);
    for (let i = 0; i < count; i++) {
      const chosen = i + this.int(bound - i);
      sample[i] = moved.get(chosen) ?? chosen;
      moved.set(chosen, moved.get(i) ?? i);
      moved.delete(i);
    }
    return sample;
  }

  fork(stream: string): Random {
    return startAt(keyOfStream(this.#key, stream));
  }

  state(): readonly number[] {
    return [...this.#generator.getState(), ...this.#key];
  }
}

function startAt(key: Key): Random {
  return new SeededRandom(key, xoroshiro128plusFromState(key));
}

/** The generator of a seed, any safe integer ≥ 0; throws RangeError for anything else. */
export function createRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed) || seed < 0) {
    throw new RangeError(`random seed must be an integer from 0 to 2^53 - 1, got ${seed}`);
  }
  return startAt(keyOfSeed(seed));
}

type State = readonly [number, number, number, number, ...Key];

function isState(state: readonly number[]): state is State {
  return state.length === 8 && state.every((word) => word === (word | 0));
}

/** The generator that `state()` was called on, as it was then; throws RangeError if it is no state. */
export function restoreRandom(state: readonly number[]): Random {
  if (!isState(state)) {
    throw new RangeError("random state must be the 8 signed 32-bit integers that state() gave");
  }
  const [s0, s1, s2, s3, ...key] = state;
  return new SeededRandom(key, xoroshiro128plusFromState([s0, s1, s2, s3]));
}

/** A seed from the operating system, 0 … 2³² - 1: what a seed flag of -1 stands for. */
export function randomSeed(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0]!;
}
