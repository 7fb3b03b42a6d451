import type { NamedArray } from "@implicit-rank/array-files";
import type { TorchCheckpoint } from "@implicit-rank/experiment-kit";
import { createRandom } from "@implicit-rank/random";
import { beforeAll, describe, expect, it } from "vitest";
import { restoreState } from "../../src/experiment/checkpoint-state.ts";
import { resNetTorchImport } from "../../src/experiment/torch-import.ts";
import {
  createAdam,
  createResNet,
  createSgd,
  exportResNetWeights,
  type Optimizer,
  type ResNet,
} from "../../src/index.ts";
import { useCpuBackend } from "../cpu-backend.ts";

beforeAll(useCpuBackend);

const make = (seed: number, channels = 1): ResNet =>
  createResNet({ depth: 18, channels, width: 2, stem: "small", random: createRandom(seed) });

/** As PyTorch would hold it: torchvision's names and layout, and the batches that each layer has seen. */
async function stateOf(model: ResNet): Promise<Map<string, NamedArray>> {
  const { arrays } = await exportResNetWeights(model);
  const counted: [string, NamedArray] = [
    "bn1.num_batches_tracked",
    { shape: [], data: BigInt64Array.of(7n) },
  ];
  return new Map<string, NamedArray>([...Object.entries(arrays), counted]);
}

interface Saved {
  readonly settings: Readonly<Record<string, unknown>>;
  /** What a parameter's state holds, by the parameter's number and shape. */
  readonly state: (number: number, shape: readonly number[]) => Readonly<Record<string, unknown>>;
}

const constant = (shape: readonly number[], value: number): NamedArray => ({
  shape,
  data: new Float32Array(shape.reduce((n, size) => n * size, 1)).fill(value),
});

const sgdSettings = { lr: 0.1, momentum: 0.9, dampening: 0, weight_decay: 0.01, nesterov: false };
const sgdSaved: Saved = {
  settings: sgdSettings,
  state: (number, shape) => ({ momentum_buffer: constant(shape, number) }),
};

async function checkpointOf(
  model: ResNet,
  { settings, state }: Saved = sgdSaved,
  change: (tensors: Map<string, NamedArray>) => void = () => undefined,
): Promise<TorchCheckpoint> {
  const tensors = await stateOf(model);
  const shapes = [...model.parameters.keys()].map((name) => tensors.get(name)!.shape);
  change(tensors);
  return {
    path: "x.ckpt",
    sha256: "",
    epoch: 3,
    model: tensors,
    optimizer: {
      groups: [
        {
          settings: new Map(Object.entries(settings)) as never,
          parameters: shapes.map((_, number) => number),
        },
      ],
      state: new Map(
        shapes.map((shape, number) => [number, new Map(Object.entries(state(number, shape)))]),
      ) as never,
    },
    metrics: { train: [], validation: [], extra: [] },
  };
}

describe("a checkpoint of a ResNet in PyTorch", () => {
  it("gives the parameters, statistics and settings", async () => {
    const model = make(1);
    const checkpoint = await checkpointOf(model);
    const { recognizes, convert } = resNetTorchImport(1, ["dropout"]);
    expect(recognizes(checkpoint.model)).toBe(true);
    expect(resNetTorchImport(3, []).recognizes(checkpoint.model)).toBe(false);
    const { saved, flags, numParameters, untold } = convert(checkpoint, {});
    expect(flags).toEqual({
      model: "resnet18",
      model_width: 2,
      model_stem: "small",
      optimizer: "sgd",
      lr: 0.1,
      momentum: 0.9,
      weight_decay: 0.01,
    });
    expect(untold).toEqual(["dropout"]);
    const counts = [...model.parameters.values()].map(({ size }) => size);
    expect(numParameters).toBe(counts.reduce((sum, count) => sum + count));

    const other = make(2);
    const optimizer = createSgd(other.parameters, { learningRate: 0.1, momentum: 0.9 });
    restoreState(saved, other, optimizer);
    expect(await exportResNetWeights(other)).toEqual(await exportResNetWeights(model));
    const velocities = await optimizer.save();
    [...other.parameters].forEach(([name, { shape }], number) => {
      expect(velocities[`velocity.${name}`]).toEqual(constant(shape, number));
    });
    model.dispose();
    other.dispose();
    optimizer.dispose();
  });

  it("puts the moments of a convolution into our layout", async () => {
    const model = make(1);
    const counting: Saved = {
      settings: sgdSettings,
      state: (_, shape) => {
        const { length } = constant(shape, 0).data;
        return { momentum_buffer: { shape, data: Float32Array.from({ length }, (_zero, i) => i) } };
      },
    };
    const { saved } = resNetTorchImport(1, []).convert(await checkpointOf(model, counting), {});
    // Filter o, channel i, row y, column x stands at ((o · 2 + i) · 3 + y) · 3 + x in PyTorch.
    const { shape, data } = saved.arrays["optimizer.velocity.layer1.0.conv1.weight"]!;
    expect(shape).toEqual([3, 3, 2, 2]);
    const at = ([y, x, i, o]: readonly number[]) => data[((y! * 3 + x!) * 2 + i!) * 2 + o!];
    expect(at([2, 1, 0, 1])).toBe((1 * 2 + 0) * 9 + 2 * 3 + 1);
    expect(at([0, 2, 1, 0])).toBe((0 * 2 + 1) * 9 + 0 * 3 + 2);
    model.dispose();
  });

  it("gives the state of Adam, whose count may be a number or a tensor", async () => {
    const model = make(1);
    const settings = { lr: 1e-3, betas: [0.9, 0.999], eps: 1e-8, weight_decay: 0, amsgrad: false };
    for (const step of [5, { shape: [], data: Float32Array.of(5) }]) {
      const checkpoint = await checkpointOf(model, {
        settings,
        state: (number, shape) => ({
          step,
          exp_avg: constant(shape, number),
          exp_avg_sq: constant(shape, number + 1),
        }),
      });
      const { saved, flags } = resNetTorchImport(1, []).convert(checkpoint, {});
      expect(flags).toMatchObject({ optimizer: "adam", lr: 1e-3, weight_decay: 0 });
      const optimizer: Optimizer = createAdam(model.parameters, { learningRate: 1e-3 });
      restoreState(saved, model, optimizer);
      const state = await optimizer.save();
      expect(state["step"]!.data).toEqual(Float64Array.of(5));
      expect(state["first.bn1.weight"]).toEqual(constant([2], 1));
      expect(state["second.bn1.weight"]).toEqual(constant([2], 2));
      optimizer.dispose();
    }
    model.dispose();
  });

  it("before the first step has moments of zero", async () => {
    const model = make(1);
    const checkpoint = await checkpointOf(model, {
      settings: sgdSettings,
      state: () => ({ momentum_buffer: null }),
    });
    const { saved } = resNetTorchImport(1, []).convert(checkpoint, {});
    expect(saved.arrays["optimizer.velocity.fc.bias"]).toEqual(constant([1], 0));
    model.dispose();
  });

  it.each<[string, (tensors: Map<string, NamedArray>) => void, Partial<Saved>]>([
    ["model.fc.bias: is missing", (tensors) => tensors.delete("fc.bias"), {}],
    [
      "model.bn1.weight: is 3 instead of 2",
      (tensors) => tensors.set("bn1.weight", constant([3], 1)),
      {},
    ],
    ["model.bn1.bias: is not finite", (tensors) => tensors.set("bn1.bias", constant([2], NaN)), {}],
    [
      "model.head.weight: is of no ResNet here",
      (tensors) => tensors.set("head.weight", constant([2], 0)),
      {},
    ],
    [
      "model: is no ResNet with one output",
      (tensors) => tensors.delete("layer4.1.conv1.weight"),
      {},
    ],
    [
      "model: is no ResNet with one output",
      (tensors) => tensors.set("fc.weight", constant([10, 16], 0)),
      {},
    ],
    [
      "optimizer.nesterov: is true, but always false here",
      () => undefined,
      { settings: { ...sgdSettings, nesterov: true } },
    ],
    ["optimizer.lr: is not a finite number", () => undefined, { settings: { momentum: 0.9 } }],
    [
      "optimizer.state.0.momentum_buffer: is 1 instead of 2 × 1 × 3 × 3",
      () => undefined,
      { state: () => ({ momentum_buffer: constant([1], 0) }) },
    ],
  ])("is refused: %s", async (problem, change, saved) => {
    const model = make(1);
    const checkpoint = await checkpointOf(model, { ...sgdSaved, ...saved }, (tensors) => {
      change(tensors);
    });
    expect(() => resNetTorchImport(1, []).convert(checkpoint, {})).toThrow(
      `x.ckpt: ${problem}; give a checkpoint of a ResNet that the PyTorch scripts trained`,
    );
    model.dispose();
  });
});
