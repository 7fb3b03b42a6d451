import { createRandom } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  createResNet,
  exportResNetWeights,
  importResNetWeights,
  LocalityBiasError,
  parameterCount,
  type ResNet,
  type ResNetOptions,
  type WeightArray,
} from "../src/index.ts";
import { convolutionsOf, resNetLayout } from "../src/models/resnet-layout.ts";
import { expectClose } from "./closeness.ts";
import { useCpuBackend } from "./cpu-backend.ts";
import { normalTensor } from "./random-tensors.ts";

beforeAll(useCpuBackend);

const tiny = (options: Partial<ResNetOptions> = {}): ResNet =>
  createResNet({
    depth: 18,
    channels: 1,
    width: 2,
    stem: "small",
    random: createRandom(1),
    ...options,
  });

describe("the layout", () => {
  // Published for 3 channels and 1000 classes, for instance in torchvision's documentation.
  test.each([
    [18, 11_689_512],
    [34, 21_797_672],
    [50, 25_557_032],
    [101, 44_549_160],
    [152, 60_192_808],
  ] as const)("of depth %d has the published number of parameters", (depth, published) => {
    const layout = resNetLayout({ depth, channels: 3, outputs: 1000, width: 64, stem: "imagenet" });
    let count = layout.features * layout.outputs + layout.outputs;
    for (const { size, channelsIn, channelsOut } of convolutionsOf(layout)) {
      count += size * size * channelsIn * channelsOut + 2 * channelsOut;
    }
    expect(count).toBe(published);
  });

  test("a model has the parameters of its layout, under torchvision's names", () => {
    const model = tiny({ depth: 50, width: 4, channels: 3, outputs: 2 });
    const names = [...model.parameters.keys()];
    expect(names.slice(0, 3)).toEqual(["conv1.weight", "bn1.weight", "bn1.bias"]);
    expect(names).toContain("layer1.0.downsample.0.weight");
    expect(names).toContain("layer4.2.bn3.bias");
    expect(names.slice(-2)).toEqual(["fc.weight", "fc.bias"]);
    expect(model.parameters.get("layer2.0.conv2.weight")!.shape).toEqual([3, 3, 8, 8]);
    expect(model.parameters.get("fc.weight")!.shape).toEqual([128, 2]);
    expect(model.statistics.has("layer3.0.downsample.1.running_var")).toBe(true);
    const total = [...model.parameters.values()].reduce((sum, { size }) => sum + size, 0);
    expect(parameterCount(model)).toBe(total);
    model.dispose();
  });
});

describe("the first parameters", () => {
  test("are Kaiming-normal by fan-out, ones and zeros, and uniform in the last layer", () => {
    const model = tiny({ width: 32, channels: 3 });
    const filter = model.parameters.get("layer3.0.conv1.weight")!.dataSync() as Float32Array;
    const deviation = Math.sqrt(filter.reduce((sum, v) => sum + v * v, 0) / filter.length);
    // 73,728 draws: the deviation's own deviation is 0.3%.
    expect(deviation / Math.sqrt(2 / (9 * 128))).toBeCloseTo(1, 1.7);
    expect(new Set(model.parameters.get("bn1.weight")!.dataSync())).toEqual(new Set([1]));
    expect(new Set(model.parameters.get("bn1.bias")!.dataSync())).toEqual(new Set([0]));
    expect(new Set(model.statistics.get("bn1.running_var")!.dataSync())).toEqual(new Set([1]));
    const weight = model.parameters.get("fc.weight")!.dataSync();
    const bound = 1 / Math.sqrt(256);
    expect(Math.max(...weight.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...weight.map(Math.abs))).toBeGreaterThan(0.95 * bound);
    model.dispose();
  });

  test("depend on the seed alone", () => {
    const [a, b, c] = [1, 1, 2].map((seed) => tiny({ random: createRandom(seed) }));
    const values = (model: ResNet) => model.parameters.get("layer4.1.conv2.weight")!.dataSync();
    expect(values(a)).toEqual(values(b));
    expect(values(a)).not.toEqual(values(c));
  });
});

describe("applying", () => {
  test("gives logits for any size of image, with both stems", () => {
    for (const stem of ["small", "imagenet"] as const) {
      const model = tiny({ stem, outputs: 3, channels: 3 });
      const logits = model.apply(normalTensor([2, 33, 20, 3], 1), { training: false });
      expect(logits.shape).toEqual([2, 3]);
    }
  });

  test("leaves the statistics alone in evaluation, and each sample to itself", () => {
    const model = tiny();
    const x = normalTensor<tf.Rank.R4>([3, 8, 8, 1], 1);
    const before = model.statistics.get("bn1.running_mean")!.dataSync();
    const together = model.apply(x, { training: false });
    expect(model.statistics.get("bn1.running_mean")!.dataSync()).toEqual(before);
    const alone = model.apply(tf.slice(x, [1, 0, 0, 0], [1, 8, 8, 1]), { training: false });
    expectClose(alone.dataSync(), together.dataSync().slice(1, 2), 1e-6);
  });

  test("in training, a single value of each channel is refused", () => {
    const model = tiny();
    const one = normalTensor<tf.Rank.R4>([1, 8, 8, 1], 1);
    expect(() => model.apply(one, { training: true })).toThrow(
      "model: layer4.0.bn1 sees one value of each channel and cannot normalize it; use larger batches or images",
    );
    expect(model.apply(one, { training: false }).shape).toEqual([1, 1]);
  });

  test("dropout acts in training only, keeps the mean, and repeats with its seed", () => {
    const model = tiny({ dropout: 0.4, width: 8 });
    const x = normalTensor<tf.Rank.R4>([2, 16, 16, 1], 1);
    const train = (seed: number) =>
      model.apply(x, { training: true, random: createRandom(seed) }).dataSync();
    expect(train(1)).toEqual(train(1));
    expect(train(1)).not.toEqual(train(2));
    const evaluate = () => model.apply(x, { training: false }).dataSync();
    expect(evaluate()).toEqual(evaluate());
    expect(() => model.apply(x, { training: true })).toThrow("random generator");
  });

  test("wrong use is refused in one line", () => {
    expect(() => tiny({ depth: 20 as 18 })).toThrow(
      "model: no ResNet of depth 20; use 18, 34, 50, 101, 152",
    );
    expect(() => tiny({ width: 0 })).toThrow("model: width is 0; give a positive integer");
    expect(() => tiny({ dropout: 1 })).toThrow("--dropout: is 1; give a number in [0, 1)");
    const model = tiny({ channels: 3 });
    expect(() => model.apply(tf.zeros([2, 8, 8, 1]), { training: false })).toThrow(
      "model: images of shape [2, 8, 8, 1]; give [samples, height, width, 3]",
    );
  });

  test("several models live side by side, and disposal frees all", () => {
    const { numTensors } = tf.memory();
    const models = [tiny(), tiny()];
    for (const model of models) model.dispose();
    expect(tf.memory().numTensors).toBe(numTensors);
  });
});

describe("weights in torchvision's layout", () => {
  test("survive export and import", async () => {
    const [a, b] = [tiny({ depth: 50 }), tiny({ depth: 50, random: createRandom(2) })];
    a.apply(normalTensor([2, 16, 16, 1], 1), { training: true }).dispose();
    const exported = await exportResNetWeights(a);
    expect(exported.arrays["layer2.0.conv2.weight"].shape).toEqual([4, 4, 3, 3]);
    const withCounters = {
      arrays: {
        ...exported.arrays,
        "bn1.num_batches_tracked": { shape: [], data: BigInt64Array.of(1n) },
      },
    };
    const { imported, kept } = importResNetWeights(b, withCounters, "weights.safetensors");
    expect(imported.length).toBe(a.parameters.size + a.statistics.size);
    expect(kept).toEqual([]);
    for (const [name, variable] of [...a.parameters, ...a.statistics]) {
      const copied = b.parameters.get(name) ?? b.statistics.get(name)!;
      expect(copied.dataSync(), name).toEqual(variable.dataSync());
    }
  });

  test("of another number of outputs leave the last layer as it is", async () => {
    const [a, b] = [tiny({ outputs: 10 }), tiny({ random: createRandom(2) })];
    const before = b.parameters.get("fc.weight")!.dataSync();
    const { kept } = importResNetWeights(b, await exportResNetWeights(a), "weights.safetensors");
    expect(kept).toEqual(["fc.weight", "fc.bias"]);
    expect(b.parameters.get("fc.weight")!.dataSync()).toEqual(before);
    expect(b.parameters.get("conv1.weight")!.dataSync()).toEqual(
      a.parameters.get("conv1.weight")!.dataSync(),
    );
  });

  test.each<[string, (arrays: Record<string, WeightArray>) => void, string]>([
    [
      "missing",
      (arrays) => delete arrays["layer2.0.bn1.bias"],
      "w.safetensors: no array layer2.0.bn1.bias; the file is of another model or incomplete",
    ],
    [
      "unexpected",
      (arrays) => (arrays["layer5.0.conv1.weight"] = arrays["conv1.weight"]),
      "w.safetensors: unexpected array layer5.0.conv1.weight",
    ],
    [
      "of another shape",
      (arrays) => (arrays["conv1.weight"] = { shape: [2, 3, 3, 3], data: new Float32Array(54) }),
      "w.safetensors: conv1.weight has shape [2, 3, 3, 3], the model's is [2, 1, 3, 3]; make the model with the file's depth, width, channels and stem",
    ],
    [
      "of another type",
      (arrays) => (arrays["fc.bias"] = { shape: [1], data: Int32Array.of(1) }),
      "w.safetensors: fc.bias does not hold floating-point numbers",
    ],
  ])("an array that is %s is named, and the model unchanged", async (_, spoil, message) => {
    const model = tiny();
    const arrays: Record<string, WeightArray> = {
      ...(await exportResNetWeights(tiny({ random: createRandom(5) }))).arrays,
    };
    spoil(arrays);
    const before = model.parameters.get("conv1.weight")!.dataSync();
    const load = () => importResNetWeights(model, { arrays }, "w.safetensors");
    expect(load).toThrow(LocalityBiasError);
    expect(load).toThrow(message);
    expect(model.parameters.get("conv1.weight")!.dataSync()).toEqual(before);
  });
});
