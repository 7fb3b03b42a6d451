import { readdirSync, readFileSync } from "node:fs";
import {
  cpSpec,
  createFactorization,
  type Factorization,
  type FactorizationSpec,
  hierarchicalSpec,
  type Observations,
  parameterViews,
} from "../src/index.ts";

/** Arrays of the fixtures: row-major numbers of a float32 computation in PyTorch. */
export interface GoldenArray {
  readonly shape: readonly number[];
  readonly data: readonly number[];
}

export interface GoldenCase {
  readonly name: string;
  readonly spec: FactorizationSpec;
  readonly factorization: Factorization;
  readonly sensing: GoldenArray;
  readonly observations: Observations;
  readonly prediction: readonly number[];
  readonly mse: number;
  readonly gradients: Float32Array;
  readonly afterOneGroupRmsProp: Float32Array;
  readonly afterFiveGroupRmsProp: Float32Array;
  readonly afterFiveMomentum: Float32Array;
  readonly tensor: GoldenArray | undefined;
  readonly targetMatrix: GoldenArray | undefined;
  readonly metrics: Readonly<Record<string, number>>;
}

type GoldenFile = Record<string, GoldenArray & readonly GoldenArray[] & Record<string, number>>;

const folder = new URL("./golden/", import.meta.url);

export const goldenCases: readonly GoldenCase[] = readdirSync(folder)
  .filter((file) => file.endsWith(".json"))
  .map((file) => readGolden(file.replace(".json", "")));

function readGolden(name: string): GoldenCase {
  const file = JSON.parse(
    readFileSync(new URL(`${name}.json`, folder), "utf8"),
  ) as unknown as GoldenFile;
  const spec = specOf(name, file);
  const flat = (arrays: readonly GoldenArray[]): Float32Array => flatten(spec, arrays);
  return {
    name,
    spec,
    factorization: createFactorization(spec, flat(file["parameters"])),
    sensing: file["inputs"],
    observations: observationsOf(name, file),
    prediction: file["prediction"].data,
    mse: file["mse"] as unknown as number,
    gradients: flat(file["gradients"]),
    afterOneGroupRmsProp: flat(file["parameters_after_1_grouprmsprop"]),
    afterFiveGroupRmsProp: flat(file["parameters_after_5_grouprmsprop"]),
    afterFiveMomentum: flat(file["parameters_after_5_sgd_momentum_0.9"]),
    tensor: file["tensor"],
    targetMatrix: file["target_matrix"],
    metrics: file["metrics"],
  };
}

function specOf(name: string, file: GoldenFile): FactorizationSpec {
  const shapes = file["parameters"].map(({ shape }) => shape);
  if (name.startsWith("mf"))
    return { kind: "mf", sizes: [shapes[0][0], ...shapes.map((s) => s[1])] };
  const [, order, modeSize] = file["inputs"].shape;
  const modeSizes = Array.from({ length: order }, () => modeSize);
  if (name.startsWith("cp")) return cpSpec({ modeSizes, components: shapes[0][1] });
  const poolSize = name.includes("pool3") ? 3 : 2;
  const wide = { "order3-pool2": [4, 5], "order4-pool2": [4, 5], "order5-pool3": [4, 3] };
  const widths = Object.entries(wide).find(([key]) => name.includes(key))?.[1] ?? [3, 3, 3];
  const poolPattern = name.includes("half") ? "half" : "checkerboard";
  return hierarchicalSpec({ modeSizes, widths, poolSize, poolPattern });
}

/** The fixtures of HT list the output weights first; the layout has them last. */
function flatten(spec: FactorizationSpec, arrays: readonly GoldenArray[]): Float32Array {
  const ordered = spec.kind === "ht" ? [...arrays.slice(1), arrays[0]] : arrays;
  const shapes = parameterViews(createFactorization(spec)).map(({ shape }) => shape.join("×"));
  if (ordered.map(({ shape }) => shape.join("×")).join() !== shapes.join()) {
    throw new Error(`parameters of the fixture do not have the shapes ${shapes.join()}`);
  }
  return Float32Array.from(ordered.flatMap(({ data }) => data));
}

function observationsOf(name: string, file: GoldenFile): Observations {
  const { shape, data } = file["inputs"];
  const targets = Float32Array.from(file["targets"].data);
  const samples = shape[0];
  if (name.includes("sensing")) {
    return { task: "sensing", inputs: Float32Array.from(data), targets, samples };
  }
  const oneHotSize = name.startsWith("mf") ? shape[1] * shape[2] : shape[2];
  const ones: number[] = [];
  for (let start = 0; start < data.length; start += oneHotSize) {
    ones.push(data.slice(start, start + oneHotSize).indexOf(1));
  }
  const indices = name.startsWith("mf")
    ? ones.flatMap((one) => [Math.floor(one / shape[2]), one % shape[2]])
    : ones;
  return { task: "completion", indices: Int32Array.from(indices), targets, samples };
}
