import { describe, expect, it } from "vitest";
import { DatasetError } from "../../src/index.ts";
import {
  decodeColorPng,
  decodeGrayPng,
  encodeColorPng,
  encodeGrayPng,
} from "../../src/image/gray-png.ts";

const image = { size: [5, 7] as const, pixels: Uint8Array.from({ length: 35 }, (_, i) => i * 7) };
const failure = (bytes: Uint8Array) => {
  try {
    decodeGrayPng(bytes, "a.png");
  } catch (error) {
    expect(error).toBeInstanceOf(DatasetError);
    return (error as DatasetError).message;
  }
  throw new Error("was accepted");
};

it("gray and color images come back", () => {
  expect(decodeGrayPng(encodeGrayPng(image), "a")).toEqual(image);
  const color = {
    size: [2, 3] as const,
    pixels: Uint8Array.from({ length: 18 }, (_, i) => i * 14),
  };
  expect(decodeColorPng(encodeColorPng(color), "a")).toEqual(color);
  const gray = decodeGrayPng(encodeColorPng(color), "a");
  expect(gray.pixels[0]).toBe(Math.floor((0 * 299 + 14 * 587 + 28 * 114) / 1000));
});

describe("refused", () => {
  const good = encodeGrayPng(image);

  it("what is no PNG, cut off, or damaged", () => {
    expect(failure(new Uint8Array(0))).toBe(
      "a.png: image: is no PNG file; make or copy the file again",
    );
    expect(failure(new TextEncoder().encode("not a picture, really"))).toContain("is no PNG file");
    for (const length of [30, good.length - 1]) {
      expect(failure(good.subarray(0, length))).toBe(
        "a.png: image: is truncated; make or copy the file again",
      );
    }
    const damaged = good.slice();
    damaged[45]! ^= 0xff;
    expect(failure(damaged)).toBe(
      "a.png: image: is a damaged PNG file; make or copy the file again",
    );
  });

  it("whatever byte is another", () => {
    // In byte 37 begins the name of the chunk with the pixels: in lower case it is one to be passed over.
    for (let at = 0; at < good.length; at++) {
      for (const flip of [0x20, 1, 0xff]) {
        const damaged = good.slice();
        damaged[at]! ^= flip;
        expect(failure(damaged), `byte ${at}`).toMatch(/^a\.png: image: /);
      }
    }
  });

  it("what declares a huge size", () => {
    const huge = good.slice();
    new DataView(huge.buffer).setUint32(16, 2 ** 30);
    expect(failure(huge)).toContain("has 1073741824 × 5 pixels, too many to read");
  });
});
