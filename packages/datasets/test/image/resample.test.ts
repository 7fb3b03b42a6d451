import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { createResampler, LANCZOS, TRIANGLE, type ImageSize } from "../../src/image/resample.ts";

interface PilCase {
  readonly from: ImageSize;
  readonly to: ImageSize;
  readonly pixels: readonly number[];
  readonly triangle: readonly number[];
  readonly lanczos: readonly number[];
  readonly lanczos_float: readonly number[];
}

// Made with PIL 13: Image.resize of random bytes.
const fixture = new URL("../fixtures/pil-resample.json", import.meta.url);
const cases = JSON.parse(readFileSync(fixture, "utf8")) as readonly PilCase[];

describe.each(cases)("from $from to $to", (known) => {
  it("bytes are PIL's, bit for bit", () => {
    const pixels = Uint8Array.from(known.pixels);
    for (const [filter, expected] of [
      [TRIANGLE, known.triangle],
      [LANCZOS, known.lanczos],
    ] as const) {
      expect([...createResampler(known.from, known.to, filter).bytes(pixels)]).toEqual(expected);
    }
  });

  it("floats are PIL's", () => {
    const floats = createResampler(known.from, known.to, LANCZOS).floats(
      Float32Array.from(known.pixels),
    );
    floats.forEach((value, i) => {
      expect(Math.abs(value - known.lanczos_float[i]!)).toBeLessThan(1e-3); // recorded to 4 decimals
    });
  });
});

it("a constant image stays constant", () => {
  const pixels = new Uint8Array(30 * 40).fill(201);
  const small = createResampler([30, 40], [11, 7], TRIANGLE).bytes(pixels);
  expect(new Set(small)).toEqual(new Set([201]));
});
