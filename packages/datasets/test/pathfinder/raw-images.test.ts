import { spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { decodeNpyText } from "@implicit-rank/array-files";
import { describe, expect, it } from "vitest";
import { decodeGrayPng } from "../../src/image/gray-png.ts";
import { generatePathfinderImages, type PathfinderRawOptions } from "../../src/index.ts";
import { findPython, runPython } from "../python.ts";
import { useTemporaryFolder } from "../temporary-folder.ts";

const temporary = useTemporaryFolder();

// Small images, so that many are made quickly.
const SMALL = {
  window_size: [120, 120],
  padding: 8,
  seed_distance: 15,
  path_lengths: [3, 4],
  num_samples: 40,
  random_seed: 1,
  workers: 2,
} satisfies PathfinderRawOptions;

/** Names and bytes of all files below a folder, records of the generation aside. */
function snapshot(folder: string): Map<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return new Map(
    files
      .map((entry) => join(entry.parentPath, entry.name))
      .sort()
      .map((file) => [file.slice(folder.length), readFileSync(file).toString("base64")]),
  );
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("succeeded");
    },
    (error: unknown) => error as Error & { exitCode: number },
  );

describe("several that fill one folder at once", () => {
  const few = { ...SMALL, num_samples: 6, workers: 1 };

  it("agree on the seed of whichever was first, and make the same images", async () => {
    const options = { ...few, random_seed: -1, output_dir: temporary("raw") };
    const results = await Promise.all([1, 2, 3, 4].map(() => generatePathfinderImages(options)));
    const { seed } = results[0]!;
    expect(results.map((result) => result.seed)).toEqual([seed, seed, seed, seed]);
    const alone = { ...few, random_seed: seed, output_dir: temporary("alone") };
    await generatePathfinderImages(alone);
    expect(snapshot(temporary("raw"))).toEqual(snapshot(temporary("alone")));
  });

  it("take a folder that another makes ready between two looks at it for what it is", async () => {
    const output_dir = temporary("raw");
    const made: Promise<unknown>[] = [];
    // One starts every millisecond, so that some look while the first images are being written.
    for (let i = 0; i < 12; i++) {
      made.push(generatePathfinderImages({ ...few, num_samples: 2, output_dir }));
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await expect(Promise.all(made)).resolves.toHaveLength(12);
  });

  it("refuse another seed or other settings than the first recorded", async () => {
    const output_dir = temporary("raw");
    const results = await Promise.allSettled(
      [1, 2, 3].map((random_seed) => generatePathfinderImages({ ...few, random_seed, output_dir })),
    );
    expect(results.map(({ status }) => status).sort()).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
    ]);
    for (const result of results)
      if (result.status === "rejected")
        expect(result.reason).toMatchObject({
          exitCode: 2,
          message: expect.stringMatching(/^--random_seed: /) as string,
        });
  });
});

describe("the folder", () => {
  it("has PNG files and metadata for each length, as the Python scripts write them", async () => {
    const seen: number[] = [];
    const result = await generatePathfinderImages(
      { ...SMALL, output_dir: temporary("raw") },
      { onProgress: ({ done }) => seen.push(done) },
    );
    expect(result).toEqual({
      folders: [temporary("raw/curv_contour_length_3"), temporary("raw/curv_contour_length_4")],
      seed: 1,
      made: 80,
      kept: 0,
    });
    expect(seen.filter((done) => done === 40)).toHaveLength(2);
    const names = await readdir(temporary("raw/curv_contour_length_4/imgs"));
    expect(new Set(names)).toEqual(
      new Set(Array.from({ length: 40 }, (_, i) => `sample_${i}.png`)),
    );
    const image = decodeGrayPng(
      await readFile(temporary("raw/curv_contour_length_4/imgs/sample_7.png")),
      "x",
    );
    expect(image.size).toEqual([120, 120]);
    const table = decodeNpyText(
      await readFile(temporary("raw/curv_contour_length_4/metadata.npy")),
      "x",
    );
    expect(table).toHaveLength(40);
    expect(table[7]).toEqual([
      "imgs",
      "sample_7.png",
      "7",
      expect.stringMatching(/^[01]$/) as string,
      "1.8",
      "4",
      "1.3333333333333333",
      "5",
      "2",
      "3",
      "1",
    ]);
  });

  it("does not depend on the number of workers", async () => {
    await generatePathfinderImages({ ...SMALL, output_dir: temporary("one"), workers: 1 });
    await generatePathfinderImages({ ...SMALL, output_dir: temporary("three"), workers: 3 });
    expect(snapshot(temporary("three"))).toEqual(snapshot(temporary("one")));
  });
});

describe("going on", () => {
  it("after kill -9 gives the same files as a run without interruption", async () => {
    await generatePathfinderImages({ ...SMALL, num_samples: 200, output_dir: temporary("whole") });
    const library = new URL("../../src/index.ts", import.meta.url).href;
    const options = JSON.stringify({ ...SMALL, num_samples: 200, output_dir: temporary("killed") });
    const program = `
      const { generatePathfinderImages } = await import(${JSON.stringify(library)});
      await generatePathfinderImages(${options}, { onProgress: ({ done }) => console.log(done) });`;
    const run = ["--input-type=module", "--disable-warning=ExperimentalWarning", "-e", program];
    for (let kill = 0; kill < 2; kill++) {
      const child = spawn(process.execPath, run);
      const closed = new Promise((resolve) => child.once("close", resolve));
      await Promise.race([closed, new Promise((resolve) => child.stdout.once("data", resolve))]);
      child.kill("SIGKILL");
      await closed;
    }
    const result = await generatePathfinderImages({
      ...SMALL,
      num_samples: 200,
      output_dir: temporary("killed"),
    });
    expect(result.kept).toBeGreaterThan(0);
    const killed = snapshot(temporary("killed"));
    for (const name of killed.keys()) if (name.endsWith(".tmp")) killed.delete(name);
    expect(killed).toEqual(snapshot(temporary("whole")));
  });

  it("makes again what is missing or cut off, keeps the rest, and adds when more are asked for", async () => {
    const options = { ...SMALL, path_lengths: [3], output_dir: temporary("raw") };
    await generatePathfinderImages(options);
    const whole = snapshot(temporary("raw"));
    const images = temporary("raw/curv_contour_length_3/imgs");
    await rm(join(images, "sample_3.png"));
    await truncate(join(images, "sample_5.png"), 60);
    const { random_seed, ...withoutSeed } = options;
    expect(random_seed).toBe(1);
    expect(await generatePathfinderImages(withoutSeed)).toMatchObject({
      seed: 1,
      made: 2,
      kept: 38,
    });
    expect(snapshot(temporary("raw"))).toEqual(whole);
    expect(await generatePathfinderImages({ ...options, num_samples: 50 })).toMatchObject({
      made: 10,
      kept: 40,
    });
    expect(
      decodeNpyText(await readFile(temporary("raw/curv_contour_length_3/metadata.npy")), "x"),
    ).toHaveLength(50);
  });

  it("stops on a signal and goes on later", async () => {
    const controller = new AbortController();
    const options = { ...SMALL, num_samples: 400, path_lengths: [3], output_dir: temporary("raw") };
    const onProgress = () => controller.abort(new Error("interrupted"));
    const error = await failure(
      generatePathfinderImages(options, { onProgress, signal: controller.signal }),
    );
    expect(error.message).toBe("interrupted");
    expect(readdirSync(temporary("raw/curv_contour_length_3"))).not.toContain("metadata.npy");
    const { kept, made } = await generatePathfinderImages(options);
    expect(kept).toBeGreaterThan(0);
    expect(kept + made).toBe(400);
  });
});

describe("refused", () => {
  it("a folder with images of other settings, another seed, or of others", async () => {
    const options = { ...SMALL, path_lengths: [3], num_samples: 2, output_dir: temporary("raw") };
    await generatePathfinderImages(options);
    const file = temporary("raw/curv_contour_length_3/generation.json");
    const remedy = "choose another --output_dir or delete the folder";
    expect(await failure(generatePathfinderImages({ ...options, continuity: 1 }))).toMatchObject({
      message: `--continuity: 1 given, but the images in ${file} were made with 1.8; ${remedy}`,
      exitCode: 2,
    });
    expect(await failure(generatePathfinderImages({ ...options, random_seed: 2 }))).toMatchObject({
      message: `--random_seed: 2 given, but the images in ${file} were made with 1; ${remedy}`,
      exitCode: 2,
    });
    const whole = await readFile(file, "utf8");
    await writeFile(file, whole.replace('"seed": 1', '"seed": 3'));
    const unseeded = { ...options, random_seed: -1 };
    expect(await failure(generatePathfinderImages(unseeded))).toMatchObject({
      message: `${file}: checksum: does not fit, the file was damaged or edited; restore it or delete the folder`,
      exitCode: 1,
    });
    await writeFile(file, "{}");
    expect(await failure(generatePathfinderImages(options))).toMatchObject({
      message: `${file}: is no record of generated images; ${remedy}`,
      exitCode: 1,
    });
    await rm(file);
    expect(await failure(generatePathfinderImages(options))).toMatchObject({
      message: `${temporary("raw/curv_contour_length_3")}: holds images without generation.json, not made by implicit-rank; choose another --output_dir`,
      exitCode: 2,
    });
  });

  it("a folder that cannot be made", async () => {
    await writeFile(temporary("file"), "");
    expect(
      await failure(generatePathfinderImages({ ...SMALL, output_dir: temporary("file") })),
    ).toMatchObject({
      message: `${temporary("file/curv_contour_length_3/imgs")}: cannot create the folder (ENOTDIR); choose a folder you may write to with --output_dir`,
      exitCode: 1,
    });
  });

  it("a folder that takes no images", async () => {
    const options = { ...SMALL, path_lengths: [3], num_samples: 2, output_dir: temporary("raw") };
    await generatePathfinderImages({ ...options, num_samples: 1 });
    await mkdir(temporary("raw/curv_contour_length_3/imgs/sample_1.png"));
    const error = await failure(generatePathfinderImages(options));
    expect(error.message).toMatch(/sample_1\.png: cannot write: .*; check the folder$/);
    expect(error.exitCode).toBe(1);
    expect(readdirSync(temporary("raw/curv_contour_length_3/imgs")).sort()).toEqual([
      "sample_0.png",
      "sample_1.png",
    ]);
  });

  it.each([
    [{ num_samples: 0 }, "--num_samples: must be an integer of at least 1"],
    [{ path_lengths: [] }, "--path_lengths: must have at least one value"],
    [{ path_lengths: [0] }, "--path_lengths: must be an integer of at least 1"],
    [{ window_size: [300] }, "--window_size: must be two values, height and width"],
    [{ continuity: 0 }, "--continuity: must be above 0"],
    [{ snake_contrast_list: [1.5] }, "--snake_contrast_list: must be at most 1"],
    [{ workers: 0 }, "--workers: must be an integer of at least 1"],
    [
      { seed_distance: 80 },
      "--window_size: 120 × 120 pixels leave no room inside a border of 160 (padding, twice the seed_distance); use a larger window",
    ],
    [
      { path_lengths: [90] },
      "--path_lengths: two paths of 90 paddles do not fit 120 × 120 pixels; use shorter paths or a larger --window_size",
    ],
  ])("%j", async (flags, message) => {
    const error = await failure(
      generatePathfinderImages({ ...SMALL, output_dir: temporary("raw"), ...flags }),
    );
    expect(error).toMatchObject({ name: "DatasetError", message, exitCode: 2 });
  });
});

const python = findPython("numpy", "PIL");
it("numpy and PIL read the folder", async ({ skip }) => {
  if (python === undefined) skip("needs a Python that has numpy and PIL");
  await generatePathfinderImages({
    ...SMALL,
    path_lengths: [3],
    num_samples: 3,
    output_dir: temporary("raw"),
  });
  const program = `
import sys, json, numpy
from PIL import Image
table = numpy.load(sys.argv[1] + "/metadata.npy")
image = Image.open(sys.argv[1] + "/imgs/sample_2.png")
print(json.dumps([[int(x) for x in table[:, 3]], image.mode, image.size, int(numpy.array(image).max())]))`;
  const folder = temporary("raw/curv_contour_length_3");
  const labels = decodeNpyText(await readFile(join(folder, "metadata.npy")), "x").map((row) =>
    Number(row[3]),
  );
  expect(runPython(python!, program, folder)).toEqual([labels, "L", [120, 120], 255]);
});
