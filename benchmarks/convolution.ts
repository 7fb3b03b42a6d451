/**
 * Milliseconds and GFLOPS of convolutions and their gradients, on the layers of ResNet-18 (batch 8, 64 × 64 images)
 * and of a narrow residual network.
 *
 *   node benchmarks/convolution.ts [--threads 1,2] [--seconds 0.2] [--layers WORD] [--wasm] [--torch]
 *                                  [--python python3]
 *
 * --wasm adds tfjs-backend-wasm (one thread; it has no gradient by the filter), --torch PyTorch with as many threads
 * (where a Python has it). GFLOPS count two operations for each product with the padding's zeros included, as PyTorch's
 * and everyone's figures do; the kernels leave those products out, so that they can exceed the machine's peak.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { Rank, Tensor } from "@tensorflow/tfjs-core";
import { createKernelRuntime, type ConvolutionGeometry } from "@implicit-rank/simd-backend";
import { findPyTorch } from "./find-pytorch.ts";
import { markdownTable } from "./timing.ts";

interface Layer {
  readonly name: string;
  readonly geometry: ConvolutionGeometry;
}

function layer(
  name: string,
  batch: number,
  size: number,
  channels: readonly [number, number],
  kernel: number,
  stride: number,
): Layer {
  const pad = (kernel - 1) / 2;
  const out = Math.floor((size + 2 * pad - kernel) / stride) + 1;
  return {
    name: `${name}: ${kernel}×${kernel}/${stride}, ${size}×${size}×${channels[0]} → ${channels[1]}`,
    geometry: {
      batch,
      inHeight: size,
      inWidth: size,
      inChannels: channels[0],
      outHeight: out,
      outWidth: out,
      outChannels: channels[1],
      kernelHeight: kernel,
      kernelWidth: kernel,
      strideHeight: stride,
      strideWidth: stride,
      padTop: pad,
      padLeft: pad,
    },
  };
}

const layers: readonly Layer[] = [
  layer("stem", 8, 64, [3, 64], 7, 2),
  layer("layer1", 8, 16, [64, 64], 3, 1),
  layer("layer2 first", 8, 16, [64, 128], 3, 2),
  layer("layer2 short", 8, 16, [64, 128], 1, 2),
  layer("layer2", 8, 8, [128, 128], 3, 1),
  layer("layer3 first", 8, 8, [128, 256], 3, 2),
  layer("layer3", 8, 4, [256, 256], 3, 1),
  layer("layer4 first", 8, 4, [256, 512], 3, 2),
  layer("layer4", 8, 2, [512, 512], 3, 1),
  layer("narrow 8", 32, 32, [8, 8], 3, 1),
  layer("narrow 16", 32, 16, [16, 16], 3, 1),
  layer("narrow 32", 32, 8, [32, 32], 3, 1),
  layer("narrow stem", 32, 32, [1, 8], 3, 1),
];

const { values } = parseArgs({
  options: {
    threads: { type: "string", default: "1,2" },
    seconds: { type: "string", default: "0.2" },
    layers: { type: "string", default: "" },
    wasm: { type: "boolean", default: false },
    torch: { type: "boolean", default: false },
    python: { type: "string", default: "python3" },
  },
});
const seconds = Number(values.seconds);
const chosen = layers.filter(({ name }) => name.includes(values.layers));

const OPERATIONS = ["forward", "by input", "by filter"] as const;
/** Milliseconds of the three operations; undefined where a peer lacks one. */
type Times = readonly (number | undefined)[];

/** The best of single runs: what other work on the machine disturbs does not count. */
function bestMilliseconds(run: () => void): number {
  const times: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (times.length < 5 || performance.now() < end) {
    const start = performance.now();
    run();
    times.push(performance.now() - start);
  }
  return Math.min(...times);
}

async function timeKernels(threads: number): Promise<readonly Times[]> {
  const runtime = await createKernelRuntime({ bytes: 128 * 2 ** 20, threads });
  const times = chosen.map(({ geometry: g }) => {
    const mark = runtime.mark();
    const random = (length: number): number => {
      const pointer = runtime.allocate(4 * length);
      const floats = runtime.floats(pointer, length);
      for (let i = 0; i < length; i++) floats[i] = Math.random() - 0.5;
      return pointer;
    };
    const input = random(g.batch * g.inHeight * g.inWidth * g.inChannels);
    const filter = random(g.kernelHeight * g.kernelWidth * g.inChannels * g.outChannels);
    const output = random(g.batch * g.outHeight * g.outWidth * g.outChannels);
    const run = runtime.immediate;
    const result = [
      bestMilliseconds(() => run.convolution({ ...g, input, filter, out: output })),
      bestMilliseconds(() =>
        run.convolutionInputGradient({ ...g, upstream: output, filter, out: input }),
      ),
      bestMilliseconds(() =>
        run.convolutionFilterGradient({ ...g, input, upstream: output, out: filter }),
      ),
    ];
    runtime.release(mark);
    return result;
  });
  runtime.dispose();
  return times;
}

async function timeWasm(): Promise<readonly Times[]> {
  const tf = await import("@tensorflow/tfjs-core");
  await import("@tensorflow/tfjs-backend-wasm");
  await tf.setBackend("wasm");
  return chosen.map(({ geometry: g }) => {
    const x = tf.randomUniform<Rank.R4>([g.batch, g.inHeight, g.inWidth, g.inChannels], -1, 1);
    const w = tf.randomUniform<Rank.R4>(
      [g.kernelHeight, g.kernelWidth, g.inChannels, g.outChannels],
      -1,
      1,
    );
    const pad = g.padTop ?? 0;
    const pads: [[number, number], [number, number], [number, number], [number, number]] = [
      [0, 0],
      [pad, pad],
      [pad, pad],
      [0, 0],
    ];
    const strides = g.strideHeight ?? 1;
    const y = tf.conv2d(x, w, strides, pads);
    const attributes = { strides, pad: pads, dataFormat: "NHWC", dimRoundingMode: "floor" };
    const gradient = { ...attributes, inputShape: x.shape };
    const byInput = (): Tensor =>
      tf.engine().runKernel("Conv2DBackpropInput", { dy: y, filter: w }, gradient);
    const forward = bestMilliseconds(() => tf.conv2d(x, w, strides, pads).dispose());
    const backward = bestMilliseconds(() => byInput().dispose());
    tf.dispose([x, w, y]);
    return [forward, backward, undefined];
  });
}

function timeTorch(python: string, threads: number): readonly Times[] {
  const script = fileURLToPath(new URL("peers/convolution.py", import.meta.url));
  const request = JSON.stringify({ threads, seconds, layers: chosen.map((one) => one.geometry) });
  return JSON.parse(execFileSync(python, [script, request], { encoding: "utf8" })) as Times[];
}

const python = values.torch ? findPyTorch(values.python) : undefined;
if (values.torch && python === undefined) console.error("PyTorch is not at hand: it is left out");
const engines: { readonly name: string; readonly times: readonly Times[] }[] = [];
for (const threads of values.threads.split(",").map(Number)) {
  engines.push({ name: `simd, ${threads} thread(s)`, times: await timeKernels(threads) });
  if (python !== undefined)
    engines.push({ name: `PyTorch, ${threads}`, times: timeTorch(python, threads) });
}
if (values.wasm) engines.push({ name: "tfjs wasm, 1 thread", times: await timeWasm() });

const rows = chosen.flatMap(({ name, geometry: g }, position) => {
  const products =
    g.batch * g.outHeight * g.outWidth * g.outChannels * g.kernelHeight * g.kernelWidth;
  return OPERATIONS.map((operation, which) => [
    name,
    operation,
    ...engines.map(({ times }) => {
      const milliseconds = times[position]![which];
      if (milliseconds === undefined) return "–";
      const gigaflops = (2 * products * g.inChannels) / milliseconds / 1e6;
      return `${milliseconds.toFixed(3)} ms, ${gigaflops.toFixed(1)}`;
    }),
  ]);
});
console.log(markdownTable(["layer", "operation", ...engines.map(({ name }) => name)], rows));
