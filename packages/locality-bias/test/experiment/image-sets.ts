import { createRandom } from "@implicit-rank/random";
import type { ImageBatch, ImageBatches, ImagePlace } from "../../src/experiment/index.ts";

export interface SetOptions {
  readonly count: number;
  readonly batchSize: number;
  readonly seed?: number;
  readonly height?: number;
  readonly width?: number;
  readonly channels?: number;
  readonly places?: readonly ImagePlace[];
  readonly contentHash?: string;
  /** Changes a batch before it is given out. */
  readonly spoil?: (batch: ImageBatch, epoch: number) => ImageBatch;
}

/** How many sets have been opened and not yet closed. */
export const openSets = { count: 0 };

/** A set in memory: bright images have label 1, dark ones label 0, with noise. */
export function imageSet(options: SetOptions): ImageBatches {
  const { count, seed, height = 8, width = 8, channels = 1, places = [] } = options;
  const { contentHash = "data", spoil = (batch) => batch } = options;
  const batchSize = options.batchSize > 0 ? options.batchSize : count;
  const sampleShape = [height, width, channels] as const;
  openSets.count++;
  return {
    count,
    sampleShape,
    contentHash,
    places,
    batchesPerEpoch: Math.ceil(count / batchSize),
    async *epoch(epoch) {
      const order = Int32Array.from({ length: count }, (_, i) => i);
      if (seed !== undefined) createRandom(seed).fork(`epoch ${epoch}`).shuffle(order);
      for (let start = 0; start < count; start += batchSize) {
        const indices = order.slice(start, start + batchSize);
        await Promise.resolve();
        yield spoil(makeBatch(indices, sampleShape), epoch);
      }
    },
    close() {
      openSets.count--;
      return Promise.resolve();
    },
  };
}

function makeBatch(
  indices: Int32Array,
  sampleShape: readonly [number, number, number],
): ImageBatch {
  const size = sampleShape[0] * sampleShape[1] * sampleShape[2];
  const inputs = new Float32Array(indices.length * size);
  indices.forEach((index, i) => {
    const pixels = new Float32Array(size);
    createRandom(index).fillNormal(pixels, index % 2 === 0 ? -1 : 1, 1);
    inputs.set(pixels, i * size);
  });
  const labels = Uint8Array.from(indices, (index) => index % 2);
  return { inputs, labels, indices, shape: [indices.length, ...sampleShape] };
}
