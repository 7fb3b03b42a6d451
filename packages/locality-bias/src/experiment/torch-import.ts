import type { ArrayFile, NamedArray } from "@implicit-rank/array-files";
import type { TorchCheckpoint, TorchConversion, TorchImport } from "@implicit-rank/experiment-kit";
import { LocalityBiasError } from "../errors.ts";
import {
  convolutionsOf,
  resNetDepthOf,
  resNetLayout,
  type ResNetLayout,
} from "../models/resnet-layout.ts";

type Flags = Readonly<Record<string, unknown>>;
type Model = TorchCheckpoint["model"];

/** A parameter or statistic of a ResNet: its name, and its shape in PyTorch. */
interface Place {
  readonly name: string;
  readonly shape: readonly number[];
  /** Statistics are not trained: optimizers have no state of them. */
  readonly isStatistic: boolean;
}

/** Settings of PyTorch's optimizers that are fixed here. */
const FIXED = {
  sgd: { dampening: 0, nesterov: false, maximize: false },
  adam: { betas: [0.9, 0.999], eps: 1e-8, amsgrad: false, maximize: false },
} as const;

/**
 * Takes over checkpoints of a ResNet whose images have this many channels, which tells the two experiments of the
 * scripts apart.
 *
 * @param untold flags that no checkpoint tells
 */
export function resNetTorchImport(channels: number, untold: readonly string[]): TorchImport {
  return {
    recognizes: (model) =>
      model.has("layer1.0.conv1.weight") && model.get("conv1.weight")?.shape[1] === channels,
    convert(checkpoint) {
      const { model, path } = checkpoint;
      const { layout, flags } = layoutOf(model, path);
      const places = placesOf(layout);
      checkModel(model, places, path);
      const { settings, arrays } = optimizerOf(checkpoint, places);
      const parameters = places.filter(({ isStatistic }) => !isStatistic);
      return {
        flags: { ...flags, ...settings },
        untold,
        saved: savedState(model, places, arrays),
        numParameters: parameters.reduce((sum, { shape }) => sum + product(shape), 0),
        metadata: { model: flags["model"] },
        tags: new Map([
          ["train loss", "loss"],
          ["val loss", "loss"],
          ["train accuracy", "accuracy"],
          ["val accuracy", "accuracy"],
        ]),
        mayDiffer: (metric) =>
          metric === "val accuracy"
            ? "an image whose logit rounding takes across zero counts as another answer"
            : undefined,
      } satisfies TorchConversion;
    },
  };
}

function layoutOf(model: Model, path: string): { layout: ResNetLayout; flags: Flags } {
  const blocks = [1, 2, 3, 4].map(
    (stage) =>
      [...model.keys()].filter((name) =>
        new RegExp(String.raw`^layer${stage}\.\d+\.conv1\.weight$`).test(name),
      ).length,
  );
  const depth = resNetDepthOf(blocks, model.has("layer1.0.conv3.weight"));
  const [width, channels, size] = model.get("conv1.weight")!.shape;
  const outputs = model.get("fc.weight")?.shape[0];
  if (depth === undefined || width === undefined || channels === undefined || outputs !== 1)
    throw misfit(path, "model", "is no ResNet with one output");
  const stem = size === 7 ? "imagenet" : "small";
  return {
    layout: resNetLayout({ depth, channels, outputs, width, stem }),
    flags: { model: `resnet${depth}`, model_width: width, model_stem: stem },
  };
}

/** All parameters and statistics, the parameters in the order of PyTorch's optimizers. */
function placesOf(layout: ResNetLayout): readonly Place[] {
  const { features, outputs } = layout;
  const parameter = (name: string, shape: readonly number[]): Place => ({
    name,
    shape,
    isStatistic: false,
  });
  return [
    ...convolutionsOf(layout).flatMap(({ name, batchNorm, size, channelsIn, channelsOut }) => [
      parameter(`${name}.weight`, [channelsOut, channelsIn, size, size]),
      parameter(`${batchNorm}.weight`, [channelsOut]),
      parameter(`${batchNorm}.bias`, [channelsOut]),
      { name: `${batchNorm}.running_mean`, shape: [channelsOut], isStatistic: true },
      { name: `${batchNorm}.running_var`, shape: [channelsOut], isStatistic: true },
    ]),
    parameter("fc.weight", [outputs, features]),
    parameter("fc.bias", [outputs]),
  ];
}

function checkModel(model: Model, places: readonly Place[], path: string): void {
  for (const { name, shape } of places) {
    const array = model.get(name);
    if (array === undefined) throw misfit(path, `model.${name}`, "is missing");
    checkArray(array, shape, path, `model.${name}`);
  }
  const known = new Set(places.map(({ name }) => name));
  const surplus = [...model.keys()].find(
    (name) => !known.has(name) && !name.endsWith(".num_batches_tracked"),
  );
  if (surplus !== undefined) throw misfit(path, `model.${surplus}`, "is of no ResNet here");
}

function checkArray(
  array: NamedArray,
  shape: readonly number[],
  path: string,
  field: string,
): void {
  if (array.shape.join() !== shape.join())
    throw misfit(path, field, `is ${array.shape.join(" × ")} instead of ${shape.join(" × ")}`);
  const { data } = array;
  if (!(data instanceof Float32Array || data instanceof Float64Array))
    throw misfit(path, field, "does not hold floating-point numbers");
  if (!data.every(Number.isFinite)) throw misfit(path, field, "is not finite");
}

interface OptimizerParts {
  readonly settings: Flags;
  /** The state by its names in a checkpoint here, in PyTorch's layout. */
  readonly arrays: ReadonlyMap<string, NamedArray>;
}

function optimizerOf(
  { optimizer, path }: TorchCheckpoint,
  places: readonly Place[],
): OptimizerParts {
  const { groups, state } = optimizer;
  const [group] = groups;
  const parameters = places.filter(({ isStatistic }) => !isStatistic);
  if (group === undefined || groups.length !== 1 || group.parameters.length !== parameters.length)
    throw misfit(path, "optimizer.param_groups", `is not one of ${parameters.length} parameters`);
  const kind = group.settings.has("betas") ? "adam" : "sgd";
  for (const [name, fixed] of Object.entries(FIXED[kind])) {
    const value = group.settings.get(name);
    if (value !== undefined && JSON.stringify(value) !== JSON.stringify(fixed))
      throw misfit(path, `optimizer.${name}`, `is ${String(value)}, but always ${fixed} here`);
  }
  const number = (name: string): number => {
    const value = group.settings.get(name);
    if (typeof value !== "number" || !Number.isFinite(value))
      throw misfit(path, `optimizer.${name}`, "is not a finite number");
    return value;
  };
  const momenta =
    kind === "sgd"
      ? ([["momentum_buffer", "velocity"]] as const)
      : ([
          ["exp_avg", "first"],
          ["exp_avg_sq", "second"],
        ] as const);
  const arrays = new Map<string, NamedArray>();
  let step = 0;
  parameters.forEach(({ name, shape }, i) => {
    const saved = state.get(group.parameters[i]!);
    const own = saved instanceof Map ? (saved as ReadonlyMap<unknown, unknown>) : undefined;
    step = Math.max(step, countOf(own?.get("step")));
    for (const [theirs, ours] of momenta) {
      const field = `optimizer.state.${group.parameters[i]}.${theirs}`;
      const moment = (own?.get(theirs) ?? zeros(shape)) as NamedArray;
      if (typeof moment !== "object" || !("shape" in moment))
        throw misfit(path, field, "is no tensor");
      checkArray(moment, shape, path, field);
      arrays.set(`optimizer.${ours}.${name}`, moment);
    }
  });
  if (kind === "adam") arrays.set("optimizer.step", { shape: [], data: Float64Array.of(step) });
  const momentum = kind === "sgd" ? { momentum: number("momentum") } : {};
  return {
    settings: {
      optimizer: kind,
      lr: number("lr"),
      weight_decay: number("weight_decay"),
      ...momentum,
    },
    arrays,
  };
}

/** A number, or (since PyTorch 1.12) a tensor of one. */
function countOf(step: unknown): number {
  const value =
    typeof step === "object" && step !== null && "data" in step
      ? Number((step as NamedArray).data[0])
      : step;
  return typeof value === "number" && Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function zeros(shape: readonly number[]): NamedArray {
  return { shape, data: new Float32Array(product(shape)) };
}

function product(shape: readonly number[]): number {
  return shape.reduce((count, size) => count * size, 1);
}

function savedState(
  model: Model,
  places: readonly Place[],
  optimizer: ReadonlyMap<string, NamedArray>,
): ArrayFile {
  const all = [...places.map(({ name }) => [name, model.get(name)!] as const), ...optimizer];
  return {
    arrays: Object.fromEntries(
      all.map(([name, array]) => [name, name === "optimizer.step" ? array : inOurLayout(array)]),
    ),
    metadata: { source: "PyTorch" },
  };
}

/** Convolutions OIHW become HWIO, the linear layer [out, in] becomes [in, out]; single precision. */
function inOurLayout({ shape, data }: NamedArray): NamedArray {
  const values = Float32Array.from(data as Float32Array | Float64Array);
  if (shape.length === 1) return { shape, data: values };
  const [rows, columns, ...window] = shape as [number, number, ...number[]];
  const size = product(window);
  const moved = new Float32Array(values.length);
  for (let o = 0; o < rows; o++)
    for (let i = 0; i < columns; i++)
      for (let k = 0; k < size; k++)
        moved[(k * columns + i) * rows + o] = values[(o * columns + i) * size + k]!;
  return { shape: [...window, columns, rows], data: moved };
}

function misfit(path: string, field: string, problem: string): LocalityBiasError {
  return new LocalityBiasError(
    `${path}: ${field}: ${problem}; give a checkpoint of a ResNet that the PyTorch scripts trained, and that did not diverge`,
    1,
  );
}
