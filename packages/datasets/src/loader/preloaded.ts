import { availableMemory } from "node:process";
import { DatasetError } from "../error.ts";
import { type BatchLoader, type LoaderOptions, planBatches } from "./batches.ts";
import { openSamples, type SampleSource } from "./sample-reader.ts";

/**
 * Opens a set with all its samples made at once, in memory: batches then only copy. Same order and same
 * values as those of `openBatches`.
 * @throws DatasetError: exit code 1 if memory does not suffice, with what is needed
 */
export async function preloadBatches(
  source: SampleSource,
  options: LoaderOptions,
): Promise<BatchLoader> {
  const { count, sampleShape, labels, contentHash, places, fill } = await openSamples(source);
  const elements = sampleShape.reduce((product, size) => product * size, 1);
  const samples = allocate(source.path, count, elements);
  for (let i = 0; i < count; i++) fill(i, samples, i * elements);
  const { batchesPerEpoch, requests } = planBatches(count, options);
  return {
    count,
    sampleShape,
    contentHash,
    places,
    batchesPerEpoch,
    async *epoch(epoch) {
      for (const { indices } of requests(epoch)) {
        const inputs = new Float32Array(indices.length * elements);
        indices.forEach((index, i) => {
          inputs.set(samples.subarray(index * elements, (index + 1) * elements), i * elements);
        });
        const batchLabels = Uint8Array.from(indices, (index) => labels[index]!);
        yield { inputs, labels: batchLabels, indices, shape: [indices.length, ...sampleShape] };
      }
    },
    close: () => Promise.resolve(),
  };
}

function allocate(path: string, count: number, elements: number): Float32Array {
  const bytes = 4 * count * elements;
  const refuse = (reason: string, cause?: unknown) =>
    new DatasetError(
      `${path}: ${count} samples need ${megabytes(bytes)} in memory, ${reason}; leave out --preload_data_to_memory or use fewer samples`,
      1,
      { cause },
    );
  const available = availableMemory();
  if (bytes > available) throw refuse(`${megabytes(available)} are available`);
  try {
    return new Float32Array(count * elements);
  } catch (error) {
    throw refuse("which cannot be had", error);
  }
}

function megabytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
