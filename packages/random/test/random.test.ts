import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createRandom, randomSeed, restoreRandom } from "../src/index.ts";

const seeds = fc.nat({ max: Number.MAX_SAFE_INTEGER });

describe("uniform integers", () => {
  it("stay below the bound, for small and huge bounds", () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), (seed, bound) => {
        const random = createRandom(seed);
        for (let i = 0; i < 20; i++) {
          const drawn = random.int(bound);
          expect(Number.isSafeInteger(drawn) && drawn >= 0 && drawn < bound).toBe(true);
        }
      }),
    );
  });

  it.each([2, 3, 10, 97, 256])("are equally likely below %d (chi-squared)", (bound) => {
    const random = createRandom(5);
    const count = 200_000;
    const seen = new Float64Array(bound);
    for (let i = 0; i < count; i++) seen[random.int(bound)]! += 1;
    const chi2 = seen.reduce((sum, n) => sum + (n - count / bound) ** 2 / (count / bound), 0);
    expect(chi2 - (bound - 1)).toBeLessThan(5 * Math.sqrt(2 * (bound - 1)));
  });

  it("have no bias where a plain remainder would (bound = 3/4 of the range)", () => {
    const random = createRandom(6);
    const bound = 3 * 2 ** 30;
    let low = 0;
    for (let i = 0; i < 100_000; i++) low += random.int(bound) < bound / 3 ? 1 : 0;
    expect(Math.abs(low - 100_000 / 3)).toBeLessThan(5 * Math.sqrt((100_000 * 2) / 9));
  });

  it.each([0, -1, 1.5, NaN, 2 ** 53])("refuse the bound %d", (bound) => {
    expect(() => createRandom(1).int(bound)).toThrow(RangeError);
  });
});

describe("uniform numbers", () => {
  it("lie in [0, 1), fill it evenly and use 53 bits", () => {
    const random = createRandom(7);
    const bins = new Float64Array(100);
    let fine = 0;
    for (let i = 0; i < 500_000; i++) {
      const u = random.uniform();
      expect(u >= 0 && u < 1).toBe(true);
      bins[Math.floor(100 * u)]! += 1;
      fine |= (u * 2 ** 53) % 2 === 1 ? 1 : 2;
    }
    expect(fine).toBe(3);
    const chi2 = bins.reduce((sum, n) => sum + (n - 5000) ** 2 / 5000, 0);
    expect(Math.abs(chi2 - 99)).toBeLessThan(5 * Math.sqrt(198));
  });
});

describe("state", () => {
  it("goes on after JSON exactly where it was, forks included", () => {
    fc.assert(
      fc.property(seeds, fc.nat({ max: 50 }), (seed, drawn) => {
        const random = createRandom(seed);
        for (let i = 0; i < drawn; i++) random.normal();
        const restored = restoreRandom(JSON.parse(JSON.stringify(random.state())) as number[]);
        for (let i = 0; i < 20; i++) expect(restored.normal()).toBe(random.normal());
        expect(restored.fork("x").uint32()).toBe(random.fork("x").uint32());
        expect(restored.state()).toEqual(random.state());
      }),
    );
  });

  it.each([
    [[]],
    [[1, 2, 3, 4, 5, 6, 7]],
    [[1, 2, 3, 4, 5, 6, 7, 0.5]],
    [[1, 2, 3, 4, 5, 6, 7, 2 ** 40]],
  ])("refuses %j", (state) => {
    expect(() => restoreRandom(state)).toThrow("8 signed 32-bit integers");
  });
});

describe("seeds", () => {
  it.each([-1, 0.5, NaN, 2 ** 53])("refuse %d", (seed) => {
    expect(() => createRandom(seed)).toThrow("from 0 to 2^53 - 1");
  });

  it("that are neighbors give unrelated streams", () => {
    const first = new Set<number>();
    let flipped = 0;
    let previous = createRandom(0).uint32();
    for (let seed = 1; seed <= 20_000; seed++) {
      const word = createRandom(seed).uint32();
      first.add(word);
      for (let x = word ^ previous; x !== 0; x &= x - 1) flipped++;
      previous = word;
    }
    expect(first.size).toBeGreaterThan(19_990); // chance repeats: 20,000² / 2³³ ≈ 0.05
    expect(Math.abs(flipped / 20_000 - 16)).toBeLessThan(0.1); // half of 32 bits; error 0.02
  });

  it("from the system differ and are valid", () => {
    const drawn = new Set(Array.from({ length: 100 }, randomSeed));
    expect(drawn.size).toBeGreaterThan(95);
    for (const seed of drawn) expect(() => createRandom(seed)).not.toThrow();
  });
});

describe("fork", () => {
  it("depends on the name, not on what was drawn, and draws nothing", () => {
    const random = createRandom(3);
    const before = random.fork("weights").uint32();
    const next = createRandom(3).uint32();
    expect(random.uint32()).toBe(next);
    expect(random.fork("weights").uint32()).toBe(before);
  });

  it("gives different streams for different names, nestings and seeds", () => {
    const words = new Set<number>();
    for (let i = 0; i < 5000; i++) words.add(createRandom(1).fork(`stream ${i}`).uint32());
    for (let i = 0; i < 5000; i++) words.add(createRandom(i).fork("stream").uint32());
    for (const name of ["", "a", "ab", "b", "\u0000", "a\u0000"]) {
      words.add(createRandom(1).fork(name).uint32());
    }
    words.add(createRandom(1).fork("a").fork("b").uint32());
    words.add(createRandom(1).uint32());
    expect(words.size).toBe(10_008);
  });

  it("gives streams without correlation to their parent", () => {
    const parent = createRandom(9);
    const child = parent.fork("child");
    let sum = 0;
    for (let i = 0; i < 200_000; i++) sum += parent.normal() * child.normal();
    expect(Math.abs(sum)).toBeLessThan(5 * Math.sqrt(200_000));
  });
});

describe("shuffle", () => {
  it("keeps the elements", () => {
    fc.assert(
      fc.property(seeds, fc.array(fc.integer()), (seed, values) => {
        const shuffled = [...values];
        createRandom(seed).shuffle(shuffled);
        expect(shuffled.sort((a, b) => a - b)).toEqual([...values].sort((a, b) => a - b));
      }),
    );
  });

  it("makes every permutation equally likely", () => {
    const random = createRandom(8);
    const seen = new Map<string, number>();
    for (let i = 0; i < 48_000; i++) {
      const items = Int32Array.of(0, 1, 2, 3);
      random.shuffle(items);
      seen.set(items.join(), (seen.get(items.join()) ?? 0) + 1);
    }
    expect(seen.size).toBe(24);
    const chi2 = [...seen.values()].reduce((sum, n) => sum + (n - 2000) ** 2 / 2000, 0);
    expect(chi2).toBeLessThan(23 + 5 * Math.sqrt(46));
  });
});

describe("sampling without replacement", () => {
  it("gives distinct integers below the bound", () => {
    const cases = fc
      .nat({ max: 500 })
      .chain((bound) => fc.tuple(fc.constant(bound), fc.nat({ max: bound })));
    fc.assert(
      fc.property(seeds, cases, (seed, [bound, count]) => {
        const sample = createRandom(seed).sampleWithoutReplacement(bound, count);
        expect(sample.length).toBe(count);
        expect(new Set(sample).size).toBe(count);
        expect(sample.every((value) => value >= 0 && value < bound)).toBe(true);
      }),
    );
  });

  it("makes every ordered choice equally likely", () => {
    const random = createRandom(10);
    const seen = new Map<string, number>();
    for (let i = 0; i < 40_000; i++) {
      const key = random.sampleWithoutReplacement(5, 2).join();
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    expect(seen.size).toBe(20);
    const chi2 = [...seen.values()].reduce((sum, n) => sum + (n - 2000) ** 2 / 2000, 0);
    expect(chi2).toBeLessThan(19 + 5 * Math.sqrt(38));
  });

  it("draws a few of very many at once", () => {
    const sample = createRandom(11).sampleWithoutReplacement(2 ** 31, 10_000);
    expect(new Set(sample).size).toBe(10_000);
    expect(Math.max(...sample)).toBeGreaterThan(2 ** 30);
  });

  it("refuses more than there are", () => {
    expect(() => createRandom(1).sampleWithoutReplacement(3, 4)).toThrow(
      "cannot draw 4 distinct integers of 3",
    );
    expect(() => createRandom(1).sampleWithoutReplacement(-1, 0)).toThrow(RangeError);
    expect(() => createRandom(1).sampleWithoutReplacement(2 ** 31 + 1, 0)).toThrow(RangeError);
  });
});
