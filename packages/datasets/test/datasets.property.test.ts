import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createComposer,
  decodeGrayPng,
  encodeGrayPng,
  type FactorizationDataset,
  frobeniusNorm,
  generateMatrixDataset,
  generateTensorDataset,
  type LabelledImages,
  matrixTargetFacts,
  pairPlaces,
  readFactorizationDataset,
  writeFactorizationDataset,
} from "../src/index.ts";
import { createResampler, LANCZOS, TRIANGLE } from "../src/image/resample.ts";
import { planBatches } from "../src/loader/batches.ts";
import { cpTarget } from "./factorization/cp-target.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const temporary = useTemporaryFolder();

const tasks = fc.constantFrom("completion" as const, "sensing" as const);
const seeds = fc.nat();

const matrixSets: fc.Arbitrary<FactorizationDataset> = fc
  .record({
    task_type: tasks,
    num_rows: fc.integer({ min: 1, max: 7 }),
    num_cols: fc.integer({ min: 1, max: 7 }),
    rank: fc.integer({ min: 1, max: 4 }),
    num_samples: fc.integer({ min: 1, max: 30 }),
    random_seed: seeds,
  })
  .map((flags) => generateMatrixDataset(flags));

const tensorSets: fc.Arbitrary<FactorizationDataset> = fc
  .record({
    task_type: tasks,
    order: fc.integer({ min: 2, max: 4 }),
    mode_dim_size: fc.integer({ min: 1, max: 4 }),
    num_samples: fc.integer({ min: 1, max: 30 }),
    random_seed: seeds,
  })
  .map((flags) => {
    const modeSizes = new Array<number>(flags.order).fill(flags.mode_dim_size);
    return generateTensorDataset(flags, cpTarget(modeSizes, 2));
  });

describe("factorization data sets", () => {
  it("of any kind, shape and task come back from both file formats, with one hash", async () => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(matrixSets, tensorSets), async (dataset) => {
        const hashes = [];
        for (const name of ["set.safetensors", "set.npz"]) {
          await writeFactorizationDataset(temporary(name), dataset, { overwrite: true });
          const { contentHash: hash, ...read } = await readFactorizationDataset(temporary(name));
          expect(read).toEqual(dataset);
          hashes.push(hash);
        }
        expect(hashes[0]).toBe(hashes[1]);
        expect(hashes[0]).toMatch(/^[0-9a-f]{64}$/);
      }),
      { numRuns: 30 },
    );
  });

  it("of entries are sensing data whose inputs are one-hot", () => {
    fc.assert(
      fc.property(
        fc.oneof(matrixSets, tensorSets).filter(({ task }) => task === "completion"),
        ({ modeSizes, samples, indices, targets, targetTensor }) => {
          for (let s = 0; s < samples; s++) {
            const tuple = indices!.subarray(s * modeSizes.length, (s + 1) * modeSizes.length);
            // ⟨e_i1 ⊗ … ⊗ e_iN, T⟩, one mode after another from the last.
            let contracted = [...targetTensor!];
            [...modeSizes.keys()].reverse().forEach((mode) => {
              const size = modeSizes[mode]!;
              const oneHot = Array.from({ length: size }, (_, i) => (i === tuple[mode] ? 1 : 0));
              contracted = Array.from({ length: contracted.length / size }, (_, row) =>
                oneHot.reduce<number>((sum, x, i) => sum + x * contracted[row * size + i]!, 0),
              );
            });
            expect(contracted).toEqual([targets[s]! + 0]);
          }
        },
      ),
    );
  });

  it("of one seed begin with the same samples, however many are drawn", () => {
    const counts = fc.tuple(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 20 }));
    fc.assert(
      fc.property(tasks, counts, seeds, (task_type, [few, more], random_seed) => {
        const flags = { task_type, num_rows: 5, num_cols: 4, random_seed };
        const small = generateMatrixDataset({ ...flags, num_samples: Math.min(few, more) });
        const large = generateMatrixDataset({ ...flags, num_samples: Math.max(few, more) });
        expect(large.targets.slice(0, small.samples)).toEqual(small.targets);
        const both = [small, large].map(({ indices, inputs }) => indices ?? inputs!);
        expect(both[1]!.slice(0, both[0]!.length)).toEqual(both[0]);
        expect(large.targetTensor).toEqual(small.targetTensor);
      }),
    );
  });

  it("have targets whose singular values are as many as their rank and make up their norm", () => {
    const shapes = fc.record({
      num_rows: fc.integer({ min: 1, max: 8 }),
      num_cols: fc.integer({ min: 1, max: 8 }),
      rank: fc.integer({ min: 1, max: 9 }),
      random_seed: seeds,
    });
    fc.assert(
      fc.property(shapes, fc.integer({ min: 0, max: 10 }), (flags, count) => {
        const { targetTensor, modeSizes } = generateMatrixDataset({ ...flags, num_samples: 1 });
        const dataset = { targetTensor: targetTensor!, modeSizes };
        const least = Math.min(flags.num_rows, flags.num_cols);
        const all = matrixTargetFacts(dataset, least);
        expect(all.frobeniusNorm).toBe(frobeniusNorm(targetTensor!));
        expect(all.singularValues).toEqual(all.singularValues.toSorted((a, b) => b - a));
        // Entries are rounded to float32, which adds up to about 1e-6 of the norm.
        const scale = all.frobeniusNorm;
        expect(Math.abs(Math.hypot(...all.singularValues) / scale - 1)).toBeLessThan(1e-12);
        for (const value of all.singularValues.slice(flags.rank))
          expect(value).toBeLessThan(1e-6 * scale);
        expect(matrixTargetFacts(dataset, count).singularValues).toEqual(
          all.singularValues.slice(0, count),
        );
      }),
    );
  });
});

describe("pairs of images on a canvas", () => {
  const cases = fc
    .record({
      height: fc.integer({ min: 1, max: 5 }),
      width: fc.integer({ min: 1, max: 5 }),
      channels: fc.constantFrom(1, 3),
      distance: fc.nat({ max: 6 }),
      above: fc.nat({ max: 5 }),
      beside: fc.nat({ max: 5 }),
      seed: seeds,
    })
    .map(({ above, beside, ...images }) => ({
      ...images,
      // An odd distance, and an odd width, each may take a column more on one side.
      canvas: {
        height: images.height + above + 1,
        width: 2 * images.width + images.distance + beside + 2,
        distance: images.distance,
      },
    }));

  it("lie inside it, as far apart as asked, at one height", () => {
    fc.assert(
      fc.property(cases, ({ canvas, height, width }) => {
        const { top, firstLeft, secondLeft } = pairPlaces(canvas, { height, width });
        expect(secondLeft - (firstLeft + width)).toBe(canvas.distance);
        expect(Math.min(top, firstLeft)).toBeGreaterThanOrEqual(0);
        expect(top + height).toBeLessThanOrEqual(canvas.height);
        expect(secondLeft + width).toBeLessThanOrEqual(canvas.width);
        // In the middle, but for one pixel of rounding.
        expect(Math.abs(2 * top + height - canvas.height)).toBeLessThanOrEqual(2);
        expect(Math.abs(firstLeft + secondLeft + width - canvas.width)).toBeLessThanOrEqual(2);
      }),
    );
  });

  it("hold both images and zeros, the same numbers in both layouts", () => {
    fc.assert(
      fc.property(cases, ({ canvas, channels, height, width, seed }) => {
        const plane = height * width;
        const images: LabelledImages = {
          channels,
          height,
          width,
          count: 2,
          pixels: Uint8Array.from(
            { length: 2 * channels * plane },
            (_, i) => (seed + i * 37) % 256,
          ),
          labels: Uint8Array.of(0, 1),
          classes: ["a", "b"],
          mean: [0.4, 0.5, 0.6].slice(0, channels),
          std: [0.2, 0.25, 0.3].slice(0, channels),
        };
        const { places } = createComposer(images, { ...canvas, layout: "nchw" });
        const composed = (["nchw", "nhwc"] as const).map((layout) => {
          const { sampleElements, sampleShape, compose } = createComposer(images, {
            ...canvas,
            layout,
          });
          expect(sampleShape.reduce((a, b) => a * b)).toBe(sampleElements);
          const out = new Float32Array(sampleElements).fill(NaN);
          compose(0, 1, out, 0);
          return out;
        });
        const [first, last] = composed as [Float32Array, Float32Array];
        for (let c = 0; c < channels; c++)
          for (let y = 0; y < canvas.height; y++)
            for (let x = 0; x < canvas.width; x++) {
              const image = places.findIndex(
                (place) =>
                  y >= place.top &&
                  y < place.top + height &&
                  x >= place.left &&
                  x < place.left + width,
              );
              const place = places[image];
              const byte =
                place === undefined
                  ? undefined
                  : images.pixels[
                      (image * channels + c) * plane + (y - place.top) * width + x - place.left
                    ]!;
              const expected =
                byte === undefined ? 0 : (byte / 255 - images.mean[c]!) / images.std[c]!;
              expect(first[(c * canvas.height + y) * canvas.width + x]).toBe(Math.fround(expected));
              expect(last[(y * canvas.width + x) * channels + c]).toBe(Math.fround(expected));
            }
      }),
      { numRuns: 40 },
    );
  });
});

describe("images", () => {
  const sizes = fc.integer({ min: 1, max: 12 });

  it("come back from a PNG, whatever their size", () => {
    fc.assert(
      fc.property(sizes, sizes, seeds, (height, width, seed) => {
        const pixels = Uint8Array.from({ length: height * width }, (_, i) => (seed + 91 * i) % 256);
        const image = { size: [height, width], pixels } as const;
        expect(decodeGrayPng(encodeGrayPng(image), "image")).toEqual(image);
      }),
    );
  });

  it("resampled are averages: constants stay, and sums of images are resampled one by one", () => {
    const filters = fc.constantFrom(TRIANGLE, LANCZOS);
    fc.assert(
      fc.property(filters, sizes, sizes, sizes, sizes, seeds, (filter, h, w, toH, toW, seed) => {
        const resampler = createResampler([h, w], [toH, toW], filter);
        const [a, b] = [3, 7].map((step) =>
          Float32Array.from({ length: h * w }, (_, i) => ((seed + step * i) % 101) / 100),
        ) as [Float32Array, Float32Array];
        const sum = a.map((value, i) => value + b[i]!);
        const of = (pixels: Float32Array) => [...resampler.floats(pixels)];
        const apart = of(a).map((value, i) => value + of(b)[i]!);
        of(sum).forEach((value, i) => expect(Math.abs(value - apart[i]!)).toBeLessThan(1e-5));
        for (const value of of(new Float32Array(h * w).fill(0.75)))
          expect(Math.abs(value - 0.75)).toBeLessThan(1e-6);
        expect(of(a)).toHaveLength(toH * toW);
      }),
    );
  });
});

it("the batches of an epoch hold every sample once, in an order that the seed and the epoch give", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: -1, max: 50 }).filter((size) => size !== 0),
      fc.option(fc.nat(), { nil: undefined }),
      fc.nat({ max: 100 }),
      (count, batchSize, seed, epoch) => {
        const plan = planBatches(count, { batchSize, ...(seed !== undefined && { seed }) });
        const indices = () => [...plan.requests(epoch)].map(({ indices }) => [...indices]);
        const batches = indices();
        expect(batches).toHaveLength(plan.batchesPerEpoch);
        expect(batches.flat().toSorted((a, b) => a - b)).toEqual([...Array(count).keys()]);
        const size = batchSize < 0 ? count : batchSize;
        for (const batch of batches.slice(0, -1)) expect(batch).toHaveLength(size);
        expect(batches.at(-1)!.length).toBeLessThanOrEqual(size);
        expect(indices()).toEqual(batches);
        if (seed === undefined) expect(batches.flat()).toEqual([...Array(count).keys()]);
      },
    ),
  );
});
