import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom, type Random, restoreRandom } from "../src/index.ts";

const seeds = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const names = fc.string({ unit: "grapheme", maxLength: 12 });

/** Everything that draws, and what it drew. */
const draws: fc.Arbitrary<(random: Random) => unknown> = fc.oneof(
  fc.constant((random: Random) => random.uint32()),
  fc.constant((random: Random) => random.uniform()),
  fc.constant((random: Random) => random.normal()),
  fc
    .integer({ min: 1, max: Number.MAX_SAFE_INTEGER })
    .map((bound) => (random: Random) => random.int(bound)),
  fc.nat({ max: 9 }).map((count) => (random: Random) => {
    const out = new Float32Array(count);
    random.fillNormal(out, 1, 2);
    return out;
  }),
  fc.nat({ max: 9 }).map((count) => (random: Random) => {
    const items = Array.from({ length: count }, (_, i) => i);
    random.shuffle(items);
    return items;
  }),
  fc.nat({ max: 9 }).map((count) => (random: Random) => random.sampleWithoutReplacement(20, count)),
  names.map((name) => (random: Random) => random.fork(name).uint32()),
);

describe("a generator", () => {
  it("goes on from its state the same, after any draws and before any", () => {
    const cases = fc.tuple(
      seeds,
      fc.array(draws, { maxLength: 12 }),
      fc.array(draws, { maxLength: 12 }),
    );
    fc.assert(
      fc.property(cases, ([seed, before, after]) => {
        const random = createRandom(seed);
        for (const draw of before) draw(random);
        const restored = restoreRandom(random.state());
        for (const draw of after) expect(draw(restored)).toEqual(draw(random));
        expect(restored.state()).toEqual(random.state());
      }),
    );
  });

  it("gives a state that later draws do not change", () => {
    fc.assert(
      fc.property(seeds, fc.array(draws, { maxLength: 12 }), (seed, after) => {
        const random = createRandom(seed);
        const state = random.state();
        const copy = [...state];
        for (const draw of after) draw(random);
        expect(state).toEqual(copy);
      }),
    );
  });
});

describe("normal numbers", () => {
  it("fill an array as one draw after another would, scaled and moved", () => {
    const finite = fc.double({ min: -1e6, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(seeds, fc.nat({ max: 50 }), finite, finite, (seed, count, mean, std) => {
        const single = createRandom(seed);
        const expected = Float64Array.from({ length: count }, () => mean + std * single.normal());
        const filled = [new Float64Array(count), new Float32Array(count)];
        const ends = filled.map((out) => {
          const random = createRandom(seed);
          random.fillNormal(out, mean, std);
          return random.state();
        });
        expect(filled).toEqual([expected, Float32Array.from(expected)]);
        expect(ends).toEqual([single.state(), single.state()]);
      }),
    );
  });
});

describe("permutations", () => {
  it("are the same for all kinds of arrays of one length", () => {
    fc.assert(
      fc.property(seeds, fc.nat({ max: 40 }), (seed, count) => {
        const places = Array.from({ length: count }, (_, i) => i);
        const kinds = [
          [...places],
          Int32Array.from(places),
          Uint32Array.from(places),
          places.map(String),
        ];
        for (const items of kinds) createRandom(seed).shuffle(items);
        const [order, ...others] = kinds.map((items) => Array.from(items, Number));
        expect(order?.toSorted((a, b) => a - b)).toEqual(places);
        for (const other of others) expect(other).toEqual(order);
      }),
    );
  });

  it("begin with what a smaller sample without replacement has", () => {
    const cases = fc
      .nat({ max: 60 })
      .chain((bound) => fc.tuple(fc.constant(bound), fc.nat({ max: bound })));
    fc.assert(
      fc.property(seeds, cases, (seed, [bound, count]) => {
        const whole = createRandom(seed).sampleWithoutReplacement(bound, bound);
        expect([...whole].toSorted((a, b) => a - b)).toEqual([...Array(bound).keys()]);
        const some = createRandom(seed).sampleWithoutReplacement(bound, count);
        expect(some).toEqual(whole.subarray(0, count));
      }),
    );
  });
});

describe("streams", () => {
  it("depend on the seed and their names alone, whoever draws before", () => {
    const paths = fc.array(names, { minLength: 1, maxLength: 3 });
    fc.assert(
      fc.property(seeds, paths, fc.array(draws, { maxLength: 8 }), (seed, path, drawn) => {
        const undisturbed = path.reduce((random, name) => random.fork(name), createRandom(seed));
        let disturbed = createRandom(seed);
        for (const name of path) {
          for (const draw of drawn) draw(disturbed);
          const parent = disturbed;
          disturbed = parent.fork(name);
          for (const draw of drawn) draw(parent);
        }
        expect(disturbed.state()).toEqual(undisturbed.state());
      }),
    );
  });

  it("of different names are different, and none is its parent", () => {
    const pairs = fc.tuple(names, names).filter(([a, b]) => a !== b);
    fc.assert(
      fc.property(seeds, pairs, (seed, [a, b]) => {
        const streams = [
          createRandom(seed),
          createRandom(seed).fork(a),
          createRandom(seed).fork(b),
        ];
        const states = streams.map((stream) => stream.state().join());
        expect(new Set(states).size).toBe(3);
      }),
    );
  });
});
