import { describe, expect, it } from "vitest";
import { exp, log } from "../src/elementary.ts";
import { buildStrips } from "../src/gaussian.ts";
import { createRandom } from "../src/index.ts";
import { normalCdf, upperTail } from "./normal-distribution.ts";

// Seeds are fixed, so these tests always see the same numbers; the limits are those of a fair test all
// the same: five standard errors, or a Kolmogorov-Smirnov level of 0.1%.

describe("a stream of normals", () => {
  const count = 4_000_000;
  const normals = new Float64Array(count);
  createRandom(2024).fillNormal(normals, 0, 1);

  it("has the moments of the standard normal distribution", () => {
    const expected = [0, 1, 0, 3, 0, 15]; // E x^k
    const variance = [1, 2, 15, 96, 945, 10170]; // E x^2k - (E x^k)²
    for (let power = 1; power <= 6; power++) {
      let sum = 0;
      for (const x of normals) sum += x ** power;
      const error = 5 * Math.sqrt(variance[power - 1]! / count);
      expect(Math.abs(sum / count - expected[power - 1]!)).toBeLessThan(error);
    }
  });

  it("passes Kolmogorov-Smirnov against the normal distribution function", () => {
    const sorted = normals.slice(0, 1_000_000).sort();
    let distance = 0;
    sorted.forEach((x, i) => {
      const p = normalCdf(x);
      distance = Math.max(distance, (i + 1) / sorted.length - p, p - i / sorted.length);
    });
    expect(distance * Math.sqrt(sorted.length)).toBeLessThan(1.95); // 0.1% level
  });

  it.each([2, 3, 3.5, 3.6541528853610088, 4, 4.5])("has the right tails beyond ±%d", (limit) => {
    const expected = count * upperTail(limit);
    const above = normals.reduce((sum, x) => sum + (x > limit ? 1 : 0), 0);
    const below = normals.reduce((sum, x) => sum + (x < -limit ? 1 : 0), 0);
    expect(Math.abs(above - expected)).toBeLessThan(5 * Math.sqrt(expected));
    expect(Math.abs(below - expected)).toBeLessThan(5 * Math.sqrt(expected));
  });

  it("has the right shape beyond the base strip, where another method takes over", () => {
    const start = 3.6541528853610088;
    const beyond = normals.filter((x) => Math.abs(x) > start).map((x) => Math.abs(x));
    const sorted = beyond.sort();
    let distance = 0;
    sorted.forEach((x, i) => {
      const p = 1 - upperTail(x) / upperTail(start);
      distance = Math.max(distance, (i + 1) / sorted.length - p, p - i / sorted.length);
    });
    expect(sorted.length).toBeGreaterThan(900);
    expect(distance * Math.sqrt(sorted.length)).toBeLessThan(1.95);
  });

  it.each([1, 2, 3, 64, 1000])("has no correlation with itself %d draws later", (lag) => {
    let values = 0;
    let squares = 0;
    for (let i = lag; i < count; i++) {
      const a = normals[i - lag]!;
      const b = normals[i]!;
      values += a * b;
      squares += (a * a - 1) * (b * b - 1);
    }
    expect(Math.abs(values)).toBeLessThan(5 * Math.sqrt(count));
    expect(Math.abs(squares)).toBeLessThan(5 * 2 * Math.sqrt(count)); // deviation of x² is √2
  });

  it("has equal shares in 1000 equally likely bins (chi-squared)", () => {
    const bins = new Float64Array(1000);
    for (const x of normals) bins[Math.min(999, Math.floor(1000 * normalCdf(x)))]! += 1;
    const expected = count / 1000;
    const chi2 = bins.reduce((sum, seen) => sum + (seen - expected) ** 2 / expected, 0);
    expect(Math.abs(chi2 - 999) / Math.sqrt(2 * 999)).toBeLessThan(5);
  });
});

describe("the strips of the ziggurat", () => {
  const { right, density } = buildStrips();

  it("have equal areas, the last one closing at the top of the curve", () => {
    const area = right[0]! * density[0]!;
    for (let i = 1; i < 256; i++) {
      expect(Math.abs(right[i]! * (density[i + 1]! - density[i]!) - area) / area).toBeLessThan(
        1e-9,
      );
    }
  });

  it("end on the curve", () => {
    for (let i = 1; i < 256; i++) {
      expect(density[i]).toBeCloseTo(Math.exp(-0.5 * right[i]! ** 2), 14);
    }
  });
});

describe("exp and log out of the four operations", () => {
  // 4 units in the last place: Math.exp and Math.log may themselves be off by one.
  const close = (got: number, expected: number) => {
    expect(Math.abs(got - expected)).toBeLessThanOrEqual(4 * Number.EPSILON * Math.abs(expected));
  };

  it("agree with Math.exp from -700 to 0", () => {
    close(exp(0), 1);
    for (let i = 1; i <= 20_000; i++)
      close(exp(-700 * (i / 20_000) ** 2), Math.exp(-700 * (i / 20_000) ** 2));
  });

  it("agree with Math.log from 2^-53 to 1", () => {
    expect(log(1)).toBe(0);
    for (let i = 1; i <= 20_000; i++) close(log(i / 20_001), Math.log(i / 20_001));
    for (let k = 1; k <= 53; k++) close(log(1.37 * 2 ** -k), Math.log(1.37 * 2 ** -k));
  });
});
