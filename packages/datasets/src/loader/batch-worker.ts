import { parentPort } from "node:worker_threads";
import { toFailure, type WorkerReply } from "../ordered-workers.ts";
import type { ImagePlace } from "../is-same/composition.ts";
import { openSamples, type SampleReader, type SampleSource } from "./sample-reader.ts";

export interface OpenRequest {
  readonly open: SampleSource;
}

export interface BatchRequest {
  readonly indices: Int32Array;
}

export interface OpenedSamples {
  readonly count: number;
  readonly sampleShape: readonly [number, number, number];
  readonly contentHash: string;
  readonly places: readonly ImagePlace[];
}

export interface LoadedBatch {
  readonly inputs: Float32Array<ArrayBuffer>;
  readonly labels: Uint8Array<ArrayBuffer>;
  readonly indices: Int32Array;
}

let reader: SampleReader | undefined;

parentPort?.on("message", (request: OpenRequest | BatchRequest) => {
  if ("open" in request) void open(request.open);
  else load(request.indices);
});

async function open(source: SampleSource): Promise<void> {
  try {
    reader = await openSamples(source);
    const { count, sampleShape, contentHash, places } = reader;
    reply({ result: { count, sampleShape, contentHash, places } });
  } catch (error) {
    reply({ failure: toFailure(error) });
  }
}

function load(indices: Int32Array): void {
  try {
    const { sampleShape, labels, fill } = reader!;
    const elements = sampleShape.reduce((product, size) => product * size, 1);
    const inputs = new Float32Array(indices.length * elements);
    indices.forEach((index, i) => fill(index, inputs, i * elements));
    const batchLabels = Uint8Array.from(indices, (index) => labels[index]!);
    const result: LoadedBatch = { inputs, labels: batchLabels, indices };
    parentPort?.postMessage({ result }, [inputs.buffer, batchLabels.buffer]);
  } catch (error) {
    reply({ failure: toFailure(error) });
  }
}

function reply(message: WorkerReply<OpenedSamples>): void {
  parentPort?.postMessage(message);
}
