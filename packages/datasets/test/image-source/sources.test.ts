import { createHash } from "node:crypto";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readCifar10, readImageFolder, readMnist } from "../../src/index.ts";
import { encodeColorPng } from "../../src/image/gray-png.ts";
import { useTemporaryFolder } from "../temporary-folder.ts";
import { cifarBatch, cifarFiles, idx, realDigits, tarGz, writeMnist } from "./source-files.ts";

const temporary = useTemporaryFolder();
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("was read");
    },
    (error: unknown) => error as Error & { exitCode: number },
  );
const again = "; delete it and get it again (or pass --download)";

describe("CIFAR-10", () => {
  const small = { imagesPerFile: 20, archiveMd5: undefined };
  const writeFiles = async (folder: string) => {
    await mkdir(folder, { recursive: true });
    for (const [name, bytes] of cifarFiles(20)) await writeFile(join(folder, name), bytes);
  };

  it.each(["", "cifar-10-batches-bin"])("from .bin files in the folder %j", async (inner) => {
    await writeFiles(temporary(inner));
    const train = await readCifar10(temporary(""), "train", small);
    expect(train).toMatchObject({ channels: 3, height: 32, width: 32, count: 100 });
    expect(train.labels[17]).toBe(7);
    expect(train.classes[7]).toBe("horse");
    expect([...train.pixels.subarray(25 * 3072, 25 * 3072 + 3)]).toEqual([
      ...cifarBatch(20, 2).subarray(5 * 3073 + 1, 5 * 3073 + 4),
    ]);
    const test = await readCifar10(temporary(""), "test", small);
    expect(test.count).toBe(20);
  });

  it("from the archive, whose checksum is verified", async () => {
    const entries = [...cifarFiles(20)].map(
      ([name, bytes]) => [`cifar-10-batches-bin/${name}`, bytes] as const,
    );
    const archive = await tarGz([
      ["cifar-10-batches-bin/readme.html", new Uint8Array(3)],
      ...entries,
    ]);
    const file = temporary("cifar-10-binary.tar.gz");
    await writeFile(file, archive);
    const archiveMd5 = createHash("md5").update(archive).digest("hex");
    const fromArchive = await readCifar10(temporary(""), "train", { ...small, archiveMd5 });
    await writeFiles(temporary("plain"));
    expect(fromArchive).toEqual(await readCifar10(temporary("plain"), "train", small));
    expect(
      await failure(readCifar10(temporary(""), "test", { ...small, archiveMd5: "0" })),
    ).toMatchObject({
      message: `${file}: has the MD5 checksum ${archiveMd5} instead of 0${again}`,
      exitCode: 1,
    });
    await writeFile(file, archive.subarray(0, 500));
    expect((await failure(readCifar10(temporary(""), "test", small))).message).toBe(
      `${file}: is truncated or no gzipped tar archive${again}`,
    );
    await writeFile(file, await tarGz(entries.slice(0, 5)));
    expect((await failure(readCifar10(temporary(""), "test", small))).message).toBe(
      `${file}: lacks cifar-10-batches-bin/test_batch.bin${again}`,
    );
  });

  it.each([
    [
      ["../../evil", new Uint8Array(1)],
      'holds the path "../../evil", which leads out of the folder',
    ],
    [["/etc/evil", new Uint8Array(1)], 'holds the path "/etc/evil", which leads out of the folder'],
    [["link", new Uint8Array(0), "symlink"], 'holds "link", which is neither file nor folder'],
    [["big", new Uint8Array(100_000)], 'holds "big" with 100000 bytes, more than CIFAR-10 has'],
  ] as const)("a hostile archive is refused (%#)", async (entry, problem) => {
    const file = temporary("cifar-10-binary.tar.gz");
    await writeFile(file, await tarGz([entry]));
    expect(await failure(readCifar10(temporary(""), "test", small))).toMatchObject({
      message: `${file}: ${problem}${again}`,
      exitCode: 1,
    });
  });

  it("that is absent, truncated or of other content is refused", async () => {
    expect(await failure(readCifar10(temporary(""), "train"))).toMatchObject({
      message: `${temporary("")}: CIFAR-10 is not there; put cifar-10-binary.tar.gz of https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz (170 MB) or its .bin files into the folder, or pass --download`,
      exitCode: 2,
    });
    await writeFile(temporary("test_batch.bin"), cifarBatch(20, 6).subarray(0, -1));
    expect((await failure(readCifar10(temporary(""), "test"))).message).toBe(
      `${temporary("test_batch.bin")}: has 61459 bytes instead of 30730000${again}`,
    );
    const bytes = cifarBatch(20, 6);
    bytes[3073 * 4] = 10;
    await writeFile(temporary("test_batch.bin"), bytes);
    expect((await failure(readCifar10(temporary(""), "test", small))).message).toBe(
      `${temporary("test_batch.bin")}: image 4 has the class 10, not 0 to 9${again}`,
    );
    await writeFile(temporary("data_batch_1.bin"), cifarBatch(20, 1));
    expect((await failure(readCifar10(temporary(""), "train", small))).message).toBe(
      `${temporary("data_batch_2.bin")}: cannot read (ENOENT); check the path`,
    );
  });
});

describe("MNIST", () => {
  it("from idx files, gzipped or not: real digits", async () => {
    writeMnist(temporary("mnist"), 5);
    const { pixels, labels } = realDigits(5);
    for (const split of ["train", "test"] as const) {
      const images = await readMnist(temporary("mnist"), split);
      expect(images).toMatchObject({ channels: 1, height: 28, width: 28, count: 50 });
      expect(images.pixels).toEqual(pixels);
      expect(images.labels).toEqual(labels);
    }
    // Digits are mostly black with some white strokes.
    const mean = pixels.reduce((sum, value) => sum + value, 0) / pixels.length / 255;
    expect(mean).toBeGreaterThan(0.08);
    expect(mean).toBeLessThan(0.2);
  });

  it("that is absent or damaged is refused", async () => {
    expect((await failure(readMnist(temporary(""), "train"))).message).toMatch(
      /train-images-idx3-ubyte is not there; put the four idx files of MNIST .* or pass --download$/,
    );
    const images = temporary("train-images-idx3-ubyte");
    const labels = temporary("train-labels-idx1-ubyte");
    const message = async () => (await failure(readMnist(temporary(""), "train"))).message;
    await writeFile(labels, idx([2], Uint8Array.of(1, 10)));
    await writeFile(images, new Uint8Array(5));
    expect(await message()).toBe(`${images}: has only 5 bytes${again}`);
    await writeFile(images, idx([2], new Uint8Array(20)));
    expect(await message()).toBe(`${images}: is no idx file of bytes with 3 axes${again}`);
    await writeFile(images, idx([2, 3, 3], new Uint8Array(17)));
    expect(await message()).toBe(`${images}: declares 2 × 3 × 3 bytes but has 17${again}`);
    await writeFile(images, idx([4_000_000_000, 4_000_000_000, 4_000_000_000], new Uint8Array(17)));
    expect(await message()).toContain(
      "declares 4000000000 × 4000000000 × 4000000000 bytes but has 17",
    );
    await writeFile(images, idx([3, 3, 3], new Uint8Array(27)));
    expect(await message()).toBe(`${labels}: has 2 labels for 3 images${again}`);
    await writeFile(images, idx([2, 3, 3], new Uint8Array(18)));
    expect(await message()).toBe(`${labels}: label 1 is 10, not 0 to 9${again}`);
  });

  it("that is gzipped badly or unpacks to far too much is refused", async () => {
    const file = temporary("train-images-idx3-ubyte.gz");
    await writeFile(file, gzipSync(new Uint8Array(2 ** 28 + 1), { level: 1 }));
    expect((await failure(readMnist(temporary(""), "train"))).message).toBe(
      `${file}: unpacks to more than MNIST has${again}`,
    );
    await writeFile(file, gzipSync(new Uint8Array(1000)).subarray(0, 20));
    expect((await failure(readMnist(temporary(""), "train"))).message).toBe(
      `${file}: is truncated or not gzipped${again}`,
    );
  });
});

describe("a folder of images", () => {
  const png = (height: number, width: number, value: number) =>
    encodeColorPng({
      size: [height, width],
      pixels: new Uint8Array(height * width * 3).map((_, i) => (value + (i % 3)) % 256),
    });
  const put = async (name: string, content: Uint8Array) => {
    await mkdir(join(temporary(name), ".."), { recursive: true });
    await writeFile(temporary(name), content);
  };

  it("has a class for each folder, in the order of names", async () => {
    await put("set/train/dog/b.png", png(4, 6, 20));
    await put("set/train/cat/a.png", png(4, 6, 10));
    await put("set/train/cat/note.txt", new Uint8Array(1));
    await put("set/test/cat/a.png", png(4, 6, 30));
    const images = await readImageFolder(temporary("set"), "train");
    expect(images).toMatchObject({
      channels: 3,
      height: 4,
      width: 6,
      count: 2,
      classes: ["cat", "dog"],
    });
    expect([...images.labels]).toEqual([0, 1]);
    expect(images.pixels[24]).toBe(11); // second plane (green) of the first image
    expect(images.mean[0]).toBeCloseTo(15 / 255, 12);
    expect(images.std[0]).toBeCloseTo(5 / 255, 12);
  });

  it("that has none, or of unequal size or damaged ones, is refused", async () => {
    expect((await failure(readImageFolder(temporary("none"), "train"))).message).toBe(
      `${temporary("none")}: is no folder that can be read; check the path`,
    );
    await put("set/cat/a.png", png(4, 6, 1));
    expect((await failure(readImageFolder(temporary("set"), "train"))).message).toBe(
      `${temporary("set")}: has no images of two or more classes; put PNG files into a folder for each class`,
    );
    await put("set/dog/a.png", png(5, 6, 1));
    expect((await failure(readImageFolder(temporary("set"), "train"))).message).toContain(
      "dog/a.png: is 5 × 6, but",
    );
    await put("set/dog/a.png", png(4, 6, 1).subarray(0, 40));
    expect((await failure(readImageFolder(temporary("set"), "train"))).message).toContain(
      "dog/a.png: image: is truncated",
    );
  });
});
