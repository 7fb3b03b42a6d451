import { LocalityBiasError } from "../errors.ts";

/** A rectangle of an image, in pixels. */
export interface ImagePlace {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Some samples of a set: images (batch × height × width × channels) and labels 0 or 1. */
export interface ImageBatch {
  readonly inputs: Float32Array;
  readonly shape: readonly number[];
  readonly labels: Uint8Array;
  /** The samples' numbers in the set, for messages. */
  readonly indices: Int32Array;
}

/** A set of labelled images in batches; `@implicit-rank/datasets` opens such. */
export interface ImageBatches {
  readonly count: number;
  /** Height, width, channels. */
  readonly sampleShape: readonly [number, number, number];
  readonly batchesPerEpoch: number;
  /** SHA-256 of what the samples are made of. */
  readonly contentHash: string;
  /** Where the two images of a pair lie; none in a pathfinder image. */
  readonly places: readonly ImagePlace[];
  /** The whole path of the folder that the images of pairs came from. */
  readonly sourceDir?: string;
  /** All samples once; the order depends on the seed of the set and the epoch only. */
  epoch(epoch: number): AsyncIterable<ImageBatch>;
  /** Gives back threads and files. */
  close(): Promise<void>;
}

/** @throws LocalityBiasError unless there are samples, and as many channels and rows in both sets */
export function checkSets(train: ImageBatches, test: ImageBatches): void {
  for (const [name, set] of [
    ["training", train],
    ["test", test],
  ] as const) {
    if (set.count === 0)
      throw new LocalityBiasError(`the ${name} set has no samples; make the data set again`);
  }
  if (train.sampleShape.join() === test.sampleShape.join()) return;
  const shapeOf = ({ sampleShape }: ImageBatches): string => sampleShape.join(" × ");
  throw new LocalityBiasError(
    `the images of the test set are ${shapeOf(test)}, those of the training set ${shapeOf(train)}; use sets of the same images`,
  );
}

/**
 * @param place where the batch is, for the message: "epoch 3, batch 5"
 * @throws LocalityBiasError (exit code 2) for a label that is not 0 or 1, (1) for pixels that are not finite
 */
export function checkBatch({ inputs, labels, indices }: ImageBatch, place: string): void {
  const wrong = labels.findIndex((label) => label > 1);
  if (wrong >= 0)
    throw new LocalityBiasError(
      `${place}: sample ${indices[wrong]} has the label ${labels[wrong]}, but labels are 0 or 1; make the data set again`,
    );
  // A sum is finite only if every term is: cheaper than a look at each pixel.
  let sum = 0;
  for (let i = 0; i < inputs.length; i++) sum += inputs[i]!;
  if (Number.isFinite(sum)) return;
  const pixel = inputs.findIndex((value) => !Number.isFinite(value));
  const sample = indices[Math.floor((pixel * labels.length) / inputs.length)];
  throw new LocalityBiasError(
    `${place}: sample ${sample} has a pixel that is ${inputs[pixel]}; make the data set again`,
    1,
  );
}
