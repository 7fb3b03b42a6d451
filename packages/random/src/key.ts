/**
 * Keys: 128-bit hashes of a seed and of the names of the streams forked from it. A key is both the first
 * state of a generator and what its own forks are derived from, so that a stream depends on its name
 * only, never on how much was drawn before it was forked.
 */
export type Key = readonly [number, number, number, number];

const LANE_START = [0x243f6a88, 0x85a308d3 | 0, 0x13198a2e, 0x03707344] as const; // digits of π
const LANE_FACTOR = [0x9e3779b1 | 0, 0x85ebca77 | 0, 0xc2b2ae3d | 0, 0x27d4eb2f] as const; // odd, primes

/** Bijection on 32 bits in which every input bit flips each output bit with probability close to 1/2. */
function avalanche(word: number): number {
  let h = word ^ (word >>> 16);
  h = Math.imul(h, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}

/** 128-bit hash of a sequence of 32-bit words; never all zero, which xoroshiro could not leave. */
function hashWords(words: readonly number[]): Key {
  const lanes: [number, number, number, number] = [...LANE_START];
  for (const word of [...words, words.length]) {
    for (let lane = 0; lane < 4; lane++) {
      const mixed = avalanche(word ^ lanes[lane]!);
      lanes[lane] = (Math.imul(mixed, LANE_FACTOR[lane]!) + lanes[(lane + 1) & 3]!) | 0;
    }
  }
  for (let round = 0; round < 8; round++) {
    const lane = round & 3;
    lanes[lane] = avalanche(lanes[lane]! ^ Math.imul(lanes[(lane + 3) & 3]!, LANE_FACTOR[lane]!));
  }
  if (lanes.every((lane) => lane === 0)) lanes[0] = 1;
  return lanes;
}

/** The key of a seed (a safe integer ≥ 0: its low 32 bits and the rest). */
export function keyOfSeed(seed: number): Key {
  return hashWords([(seed % 2 ** 32) | 0, Math.floor(seed / 2 ** 32) | 0]);
}

/** The key of a named stream below `parent`. */
export function keyOfStream(parent: Key, stream: string): Key {
  const words: number[] = [...parent];
  for (let i = 0; i < stream.length; i++) words.push(stream.charCodeAt(i));
  return hashWords(words);
}
