import type { TorchCheckpoint, TorchConversion, TorchImport } from "@implicit-rank/experiment-kit";
import { FactorizationError } from "../errors.ts";
import { createCpMetrics } from "../metrics/cp-metrics.ts";
import { createHierarchicalMetrics } from "../metrics/hierarchical-metrics.ts";
import { createMatrixMetrics } from "../metrics/matrix-metrics.ts";
import type { MetricInfo } from "../metrics/metric.ts";
import type { Spectrum } from "../metrics/spectrum.ts";
import { modeTreeOf } from "../model/parameter-layout.ts";
import { cpSpec, matrixSpec } from "../model/spec.ts";
import type {
  CpSpec,
  Factorization,
  FactorizationSpec,
  HierarchicalSpec,
  MatrixSpec,
} from "../model/types.ts";
import { groupRmsProp, type Optimizer, sgd } from "../optimizers/optimizer.ts";
import type { PoolingHints } from "../torch/infer-pooling.ts";
import { importTorchFactorization, torchFactorizationKind } from "../torch/torch-factorization.ts";
import { importTorchOptimizer } from "../torch/torch-optimizer.ts";
import { hierarchicalMetadata } from "./metadata.ts";
import { stateArrays, TORCH_SOURCE } from "./trainable.ts";

type Flags = Readonly<Record<string, unknown>>;

/** What is particular to one kind of factorization. */
interface KindOfImport<Spec extends FactorizationSpec> {
  readonly kind: Spec["kind"];
  /** Why `train` cannot go on with a specification; undefined if it can. */
  untrainable(spec: Spec): string | undefined;
  /** Flags that the specification and the names of metrics tell. */
  flags(spec: Spec, metrics: readonly string[]): Flags;
  readonly untold: readonly string[];
  infos(
    factorization: Factorization & { readonly spec: Spec },
    flags: Flags,
  ): readonly MetricInfo[];
  metadata(spec: Spec): Flags;
  mayDiffer(spec: Spec, metric: string): string | undefined;
}

/** Flags of the scripts that no checkpoint tells. */
const UNTOLD = [
  "dataset_path",
  "num_train_samples",
  "init_std",
  "stop_on_zero_loss_tol",
  "stop_on_zero_loss_patience",
];
const UNTOLD_OF_TENSORS = [...UNTOLD, "num_test_samples", "batch_size", "init_mean"];

export const matrixTorchImport = importOf<MatrixSpec>({
  kind: "mf",
  untrainable({ sizes }) {
    const trained = matrixSpec({ rows: sizes[0], cols: sizes.at(-1)!, depth: sizes.length - 1 });
    return trained.sizes.join() === sizes.join()
      ? undefined
      : `has the hidden sizes ${sizes.slice(1, -1).join(", ")} instead of the smaller of rows and columns`;
  },
  flags: ({ sizes }, metrics) => ({
    depth: sizes.length - 1,
    ...trackedCount(metrics, /^singular_value_\d+$/, Math.min(sizes[0], sizes.at(-1)!)),
  }),
  untold: [...UNTOLD, "weight_init_type"],
  infos: (factorization, flags) =>
    createMatrixMetrics(factorization, {
      spectrum: countOnly,
      ...numberFlag(flags, "num_top_to_track", "numSingularValues"),
    }).infos,
  metadata: () => ({}),
  mayDiffer: (_, metric) =>
    metric === "e2e_rank"
      ? "it counts singular values above a threshold that the rounding of single precision blurs"
      : undefined,
});

export const cpTorchImport = importOf<CpSpec>({
  kind: "cp",
  untrainable: ({ outputWeights }) =>
    outputWeights ? "has output weights, which train cp has not" : undefined,
  flags(spec, metrics) {
    // -1, the most that can be needed, is what both programs have as default.
    const isMaximal = cpSpec({ modeSizes: spec.modeSizes }).components === spec.components;
    return {
      num_cp_components: isMaximal ? -1 : spec.components,
      ...trackedCount(metrics, /^top_component_\d+_fro_norm$/, spec.components),
    };
  },
  untold: UNTOLD_OF_TENSORS,
  infos: (factorization, flags) =>
    createCpMetrics(factorization, numberFlag(flags, "num_top_to_track", "numTopToTrack")).infos,
  metadata: ({ components }) => ({ "# of components": components }),
  mayDiffer: () => undefined,
});

export const hierarchicalTorchImport = importOf<HierarchicalSpec>({
  kind: "ht",
  untrainable({ outputWeights, poolSizes }) {
    if (!outputWeights) return "has no output weights, which train ht has";
    return new Set(poolSizes).size === 1
      ? undefined
      : `pools its layers by ${poolSizes.join(", ")} nodes, train ht by one number in all layers`;
  },
  flags: (spec, metrics) => ({
    ht_pool_size: spec.poolSizes[0],
    ht_pool_pattern: spec.poolPattern,
    ht_layer_widths: spec.widths,
    ...trackedCount(metrics, /^l_0_f_0_top_\d+_wv_norm$/, spec.widths[0]),
    additional_matricizations_to_track: additionalMatricizations(spec, metrics),
  }),
  untold: UNTOLD_OF_TENSORS,
  infos: (factorization, flags) =>
    createHierarchicalMetrics(factorization, {
      spectrum: countOnly,
      additionalMatricizations: (
        flags["additional_matricizations_to_track"] as readonly string[]
      ).map((text) => text.split(" ").map(Number)),
      ...numberFlag(flags, "num_top_to_track", "numTopToTrack"),
    }).infos,
  metadata: hierarchicalMetadata,
  mayDiffer: (spec, metric) =>
    metric.startsWith("mat_") && modeTreeOf(spec).root.some((mode, place) => mode !== place)
      ? `the scripts leave the axes of the tensor permuted with the pool pattern ${spec.poolPattern}`
      : undefined,
});

function importOf<Spec extends FactorizationSpec>(own: KindOfImport<Spec>): TorchImport {
  return {
    recognizes: (model) => torchFactorizationKind(model.keys()) === own.kind,
    convert(checkpoint, given) {
      const names = metricNames(checkpoint);
      const factorization = importTorchFactorization(checkpoint.model, {
        source: checkpoint.path,
        metrics: names,
        ...poolingHints(given),
      }) as Factorization & { readonly spec: Spec };
      const { spec } = factorization;
      const problem = own.untrainable(spec);
      if (problem !== undefined) {
        throw new FactorizationError(
          `${checkpoint.path}: model: ${problem}; data convert writes its parameters into a file of their own`,
          1,
        );
      }
      const { optimizer, state } = importTorchOptimizer(checkpoint.optimizer, factorization, {
        source: checkpoint.path,
        names: [...checkpoint.model.keys()],
      });
      refuseOtherSettings(optimizer, checkpoint.path);
      const loss = lossOf(names);
      const flags = { ...own.flags(spec, names), ...optimizerFlags(optimizer), loss };
      const inSingle = { ...factorization, values: Float32Array.from(factorization.values) };
      return {
        flags,
        untold: [...own.untold, ...(loss === "huber" ? ["huber_loss_thresh"] : [])],
        saved: {
          arrays: stateArrays(inSingle, asTrained(state, checkpoint)),
          metadata: { source: TORCH_SOURCE },
        },
        numParameters: factorization.values.length,
        metadata: own.metadata(spec),
        tags: tagsOf(own.infos(factorization, flags), loss),
        mayDiffer: (metric) => own.mayDiffer(spec, metric),
      } satisfies TorchConversion;
    },
  };
}

function metricNames({ metrics }: TorchCheckpoint): readonly string[] {
  return [...metrics.train, ...metrics.validation].map(({ name }) => name);
}

function poolingHints(given: Flags): PoolingHints {
  const { ht_pool_size: poolSize, ht_pool_pattern: poolPattern } = given;
  return {
    ...(typeof poolSize === "number" ? { poolSize } : {}),
    ...(typeof poolPattern === "string" ? { poolPattern } : {}),
  } as PoolingHints;
}

/** The scripts' optimizers have the settings that ours have, but for those that are flags. */
function refuseOtherSettings(optimizer: Optimizer, path: string): void {
  const usual = optimizer.kind === "sgd" ? sgd(optimizer) : groupRmsProp({ lr: optimizer.lr });
  const expected = optimizer.kind === "sgd" ? { ...usual, weightDecay: 0 } : usual;
  for (const [name, value] of Object.entries(optimizer)) {
    const ours = (expected as Readonly<Record<string, unknown>>)[name];
    if (value === ours) continue;
    throw new FactorizationError(
      `${path}: optimizer.${name}: is ${String(value)}, but training here has ${String(ours)}; data convert writes the parameters into a file of their own`,
      1,
    );
  }
}

function optimizerFlags(optimizer: Optimizer): Flags {
  const { kind, lr } = optimizer;
  return kind === "sgd"
    ? { optimizer: kind, lr, momentum: optimizer.momentum }
    : { optimizer: kind, lr };
}

/** PyTorch's SGD counts no steps; the count does not enter its updates. */
function asTrained(
  state: ReturnType<typeof importTorchOptimizer>["state"],
  { epoch }: TorchCheckpoint,
): typeof state {
  return "velocity" in state
    ? { step: epoch + 1, velocity: Float32Array.from(state.velocity) }
    : state;
}

function lossOf(metrics: readonly string[]): "l2" | "l1" | "huber" {
  return (["l1", "huber"] as const).find((loss) => metrics.includes(`train_${loss}_loss`)) ?? "l2";
}

/** How many of the largest values were tracked: known unless all there are were. */
function trackedCount(metrics: readonly string[], name: RegExp, all: number): Flags {
  const count = metrics.filter((metric) => name.test(metric)).length;
  return count > 0 && count < all ? { num_top_to_track: count } : {};
}

/** Matricizations of which singular values were tracked, beside those of the mode tree. */
function additionalMatricizations(spec: HierarchicalSpec, metrics: readonly string[]): string[] {
  const ofTree = new Set(
    modeTreeOf(spec).layers.flatMap(({ nodes }) => nodes.map((modes) => modes.join("_"))),
  );
  return metrics.flatMap((metric) => {
    const modes = /^mat_(\d+(?:_\d+)*)_eff_rank$/.exec(metric)?.[1];
    return modes === undefined || ofTree.has(modes) ? [] : [modes.replaceAll("_", " ")];
  });
}

function numberFlag<Option extends string>(
  flags: Flags,
  name: string,
  option: Option,
): Partial<Record<Option, number>> {
  const value = flags[name];
  return (typeof value === "number" ? { [option]: value } : {}) as Partial<Record<Option, number>>;
}

/** For the names and tags of metrics alone. */
function countOnly(shape: readonly number[], rowModes: readonly number[]): Spectrum {
  const size = (modes: (mode: number) => boolean): number =>
    shape.reduce((product, length, mode) => (modes(mode) ? product * length : product), 1);
  return {
    count: Math.min(
      size((mode) => rowModes.includes(mode)),
      size((mode) => !rowModes.includes(mode)),
    ),
    singularValues: () => {
      throw new TypeError("only the number of singular values is known");
    },
  };
}

function tagsOf(infos: readonly MetricInfo[], loss: string): ReadonlyMap<string, string> {
  return new Map([
    ["train_mse_loss", "mse_loss"],
    ["test_mse_loss", "mse_loss"],
    [`train_${loss}_loss`, `${loss}_loss`],
    ...infos.flatMap(({ name, tag }) => (tag === undefined ? [] : [[name, tag] as const])),
  ]);
}
