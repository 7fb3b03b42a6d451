import type { Observations } from "../engines/engine.ts";
import { FactorizationError } from "../errors.ts";

/** A matrix or tensor data set, as `@implicit-rank/datasets` reads it. */
export interface FactorizationData {
  readonly kind: "matrix" | "tensor";
  readonly task: "completion" | "sensing";
  readonly modeSizes: readonly number[];
  readonly samples: number;
  /** Completion: samples × order. */
  readonly indices?: Int32Array;
  /** Sensing: samples × rows × cols, or samples × order × mode size. */
  readonly inputs?: Float32Array;
  readonly targets: Float32Array;
  /** The whole target, row-major; tensor sets may lack it. */
  readonly targetTensor?: Float32Array;
  /** SHA-256 of the content. */
  readonly contentHash: string;
}

/** Training and test samples of one data set. */
export interface DataSplit {
  readonly train: Observations;
  readonly test: Observations | undefined;
  /** Train samples, then test samples. */
  readonly both: Observations;
}

/**
 * The first `trainSamples` for training and the last `testSamples` (or, if negative, all the rest) for
 * testing.
 *
 * @throws FactorizationError naming the flag that asks for more samples than there are.
 */
export function splitData(
  data: FactorizationData,
  trainSamples: number,
  testSamples: number,
): DataSplit {
  const { samples } = data;
  if (trainSamples > samples)
    throw new FactorizationError(
      `--num_train_samples: ${trainSamples} asked for, but the data set has ${samples}; give at most ${samples}`,
    );
  const rest = samples - trainSamples;
  if (testSamples > rest)
    throw new FactorizationError(
      `--num_test_samples: ${testSamples} asked for, but ${rest} of ${samples} samples are left beside ${trainSamples} train samples; give at most ${rest}`,
    );
  const tested = testSamples < 0 ? rest : testSamples;
  const train = slice(data, 0, trainSamples);
  const test = tested === 0 ? undefined : slice(data, samples - tested, samples);
  return { train, test, both: test === undefined ? train : concatenate(train, test) };
}

function slice(data: FactorizationData, from: number, to: number): Observations {
  const targets = data.targets.subarray(from, to);
  const part = <Values extends Int32Array | Float32Array>(values: Values): Values => {
    const size = values.length / data.samples;
    return values.subarray(from * size, to * size) as Values;
  };
  return data.task === "completion"
    ? { task: "completion", indices: part(data.indices!), targets, samples: to - from }
    : { task: "sensing", inputs: part(data.inputs!), targets, samples: to - from };
}

/** Adjacent parts of one array are joined without a copy. */
function concatenate(first: Observations, second: Observations): Observations {
  const samples = first.samples + second.samples;
  const targets = join(first.targets, second.targets);
  if (first.task === "completion" && second.task === "completion")
    return { task: "completion", indices: join(first.indices, second.indices), targets, samples };
  if (first.task === "sensing" && second.task === "sensing")
    return { task: "sensing", inputs: join(first.inputs, second.inputs), targets, samples };
  throw new TypeError("observations of different tasks cannot be joined");
}

function join<Values extends Int32Array | Float32Array>(first: Values, second: Values): Values {
  const adjacent =
    first.buffer === second.buffer && first.byteOffset + first.byteLength === second.byteOffset;
  if (adjacent) {
    const Type = first.constructor as new (b: ArrayBufferLike, o: number, n: number) => Values;
    return new Type(first.buffer, first.byteOffset, first.length + second.length);
  }
  const Type = first.constructor as new (length: number) => Values;
  const joined = new Type(first.length + second.length);
  joined.set(first);
  joined.set(second, first.length);
  return joined;
}
