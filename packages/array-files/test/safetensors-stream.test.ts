import { readdir, truncate } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import {
  openSafetensors,
  readSafetensors,
  writeSafetensors,
  writeSafetensorsStream,
  type StreamedArray,
} from "../src/index.ts";
import { SAMPLE } from "./sample-files.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const temporary = useTemporaryFolder();

const images: StreamedArray = {
  name: "images",
  dtype: "U8",
  shape: [4, 3],
  async *pieces() {
    for (let row = 0; row < 4; row++) {
      await Promise.resolve();
      yield Uint8Array.of(row, 10 + row, 20 + row);
    }
  },
};
const labels: StreamedArray = {
  name: "labels",
  dtype: "I32",
  shape: [4],
  pieces: () => [new Uint8Array(Int32Array.of(1, -1, 1, -1).buffer)],
};

describe("a file written in pieces", () => {
  it("is read like any other, with metadata that came last", async () => {
    const path = temporary("a.safetensors");
    let seen = 0;
    const counted = { ...images, pieces: () => [new Uint8Array(12).map(() => ++seen)] };
    await writeSafetensorsStream(path, [counted, labels], () => ({ seen: String(seen) }));
    const { arrays, metadata } = await readSafetensors(path);
    expect({ ...metadata }).toEqual({ seen: "12" });
    expect(arrays.images!.shape).toEqual([4, 3]);
    expect([...arrays.images!.data]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    expect(arrays.labels).toEqual({ shape: [4], data: Int32Array.of(1, -1, 1, -1) });
  });

  it.each([
    ["too few", { ...images, shape: [5, 3] }],
    ["too many", { ...images, shape: [3, 3] }],
  ])("with %s pieces is refused and leaves nothing", async (_, array) => {
    const writing = writeSafetensorsStream(temporary("a.safetensors"), [array], () => ({}));
    await expect(writing).rejects.toThrow('array "images": pieces do not fit the shape');
    expect(await readdir(temporary(""))).toEqual([]);
  });

  it("with metadata beyond the room for them is refused", async () => {
    const long = () => ({ text: "x".repeat(20_000) });
    const writing = writeSafetensorsStream(temporary("a.safetensors"), [images], long);
    await expect(writing).rejects.toThrow("the metadata are too long");
    expect(await readdir(temporary(""))).toEqual([]);
  });

  it("does not replace another", async () => {
    await writeSafetensors(temporary("a.safetensors"), SAMPLE);
    const writing = writeSafetensorsStream(temporary("a.safetensors"), [images], () => ({}));
    await expect(writing).rejects.toThrow("the file exists already");
  });
});

describe("an open file", () => {
  it("gives rows of arrays", async () => {
    const path = temporary("a.safetensors");
    await writeSafetensorsStream(path, [images, labels], () => ({ k: "v" }));
    const reader = await openSafetensors(path);
    expect({ ...reader.metadata }).toEqual({ k: "v" });
    expect([...(await reader.readRows("images", 1, 2))]).toEqual([1, 11, 21, 2, 12, 22]);
    expect(await reader.readRows("labels", 3, 1)).toEqual(Int32Array.of(-1));
    await expect(reader.readRows("labels", 3, 2)).rejects.toThrow(
      `${path}: array "labels": has no rows 3 to 4`,
    );
    await expect(reader.readRows("none", 0, 1)).rejects.toThrow('array "none": has no rows 0 to 0');
    await reader.close();
  });

  it("is checked when opened", async () => {
    const path = temporary("a.safetensors");
    await writeSafetensors(path, SAMPLE);
    await truncate(path, 300);
    await expect(openSafetensors(path)).rejects.toMatchObject({ exitCode: 1, file: path });
    await truncate(path, 3);
    await expect(openSafetensors(path)).rejects.toThrow("the file has 3 bytes, fewer than 8");
    await expect(openSafetensors(temporary("none"))).rejects.toThrow("no such file");
    await expect(openSafetensors(temporary(""))).rejects.toThrow("it is a folder");
  });
});
