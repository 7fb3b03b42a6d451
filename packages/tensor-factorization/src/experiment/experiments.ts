import type { Experiment, StopRule } from "@implicit-rank/experiment-kit";
import { FactorizationError } from "../errors.ts";
import type { Evaluation } from "../engines/fused/evaluation.ts";
import { createCpMetrics } from "../metrics/cp-metrics.ts";
import { createHierarchicalMetrics } from "../metrics/hierarchical-metrics.ts";
import { createMatrixMetrics } from "../metrics/matrix-metrics.ts";
import { frobeniusNorm } from "../metrics/norms.ts";
import { effectiveRank, matrixRank, nuclearNorm } from "../metrics/ranks.ts";
import { createSpectrum } from "../metrics/spectrum.ts";
import { createFactorization } from "../model/factorization.ts";
import { initializeIdentity, initializeNormal } from "../model/initialize.ts";
import { cpSpec, hierarchicalSpec, matrixSpec } from "../model/spec.ts";
import type { CpSpec, Factorization, HierarchicalSpec, MatrixSpec } from "../model/types.ts";
import { type DataSplit, type FactorizationData, splitData } from "./factorization-data.ts";
import {
  type CpFlags,
  cpFlags,
  type HierarchicalFlags,
  hierarchicalFlags,
  type MatrixFlags,
  matrixFlags,
  type TrainingFlags,
} from "./flags.ts";
import { hierarchicalMetadata } from "./metadata.ts";
import { parseMatricizations } from "./parse-matricizations.ts";
import { requireMemory } from "./require-memory.ts";
import { cpTorchImport, hierarchicalTorchImport, matrixTorchImport } from "./torch-import.ts";
import { createTrainable, tensorValidation, type Validation } from "./trainable.ts";

/** Reads a data set file; the command line passes the reader of `@implicit-rank/datasets`. */
export type LoadData = (path: string) => Promise<FactorizationData>;

/** Training of a deep matrix factorization, `train mf`. */
export function matrixExperiment(loadData: LoadData): Experiment<MatrixFlags> {
  return {
    name: "mf",
    flags: matrixFlags,
    torch: matrixTorchImport,
    defaultScore: {
      metric: "normalized_reconstruction_error",
      source: "validation",
      largest: false,
    },
    stops: zeroLossStop,
    async prepare(flags, context) {
      const data = await loadKind(loadData, flags, "matrix");
      const targetMatrix = targetOf(data, flags);
      const [rows, cols] = data.modeSizes;
      const spec = matrixSpec({ rows, cols, depth: flags.depth });
      requireMemory(spec, flags);
      const factorization = createFactorization(spec);
      if (flags.weight_init_type === "identity") initializeIdentity(factorization, flags.init_std);
      else initializeNormal(factorization, context.random.fork("init"), { std: flags.init_std });
      return createTrainable({
        factorization,
        data,
        split: splitData(data, flags.num_train_samples, 0),
        flags,
        context,
        metadata: matrixMetadata(data.modeSizes, targetMatrix, factorization),
        predictionScale: false,
        validation: (trained, evaluation) =>
          matrixValidation(trained, evaluation, targetMatrix, flags.num_top_to_track),
      });
    },
  };
}

/** Training of a CP factorization, `train cp`. */
export function cpExperiment(loadData: LoadData): Experiment<CpFlags> {
  return {
    name: "cp",
    flags: cpFlags,
    torch: cpTorchImport,
    defaultScore: { metric: "train_mse_loss", source: "train", largest: false },
    stops: zeroLossStop,
    async prepare(flags, context) {
      const data = await loadKind(loadData, flags, "tensor");
      const spec = cpSpec({ modeSizes: data.modeSizes, components: flags.num_cp_components });
      const factorization = drawFactorization(spec, flags, context.random);
      const split = splitData(data, flags.num_train_samples, flags.num_test_samples);
      return createTrainable({
        factorization,
        data,
        split,
        flags,
        context,
        metadata: { ...tensorMetadata(data, split), "# of components": spec.components },
        predictionScale: true,
        validation: (trained, evaluation) =>
          tensorValidation(
            split,
            evaluation,
            createCpMetrics({ ...trained, spec }, { numTopToTrack: flags.num_top_to_track }),
          ),
      });
    },
  };
}

/** Training of a hierarchical tensor factorization, `train ht`. */
export function hierarchicalExperiment(loadData: LoadData): Experiment<HierarchicalFlags> {
  return {
    name: "ht",
    flags: hierarchicalFlags,
    torch: hierarchicalTorchImport,
    defaultScore: { metric: "train_mse_loss", source: "train", largest: false },
    stops: zeroLossStop,
    async prepare(flags, context) {
      const data = await loadKind(loadData, flags, "tensor");
      const spec = hierarchicalSpec({
        modeSizes: data.modeSizes,
        widths: flags.ht_layer_widths,
        poolSize: flags.ht_pool_size,
        poolPattern: flags.ht_pool_pattern,
      });
      const additionalMatricizations = parseMatricizations(
        flags.additional_matricizations_to_track,
        data.modeSizes.length,
      );
      const factorization = drawFactorization(spec, flags, context.random);
      const split = splitData(data, flags.num_train_samples, flags.num_test_samples);
      return createTrainable({
        factorization,
        data,
        split,
        flags,
        context,
        metadata: { ...tensorMetadata(data, split), ...hierarchicalMetadata(spec) },
        predictionScale: false,
        validation: (trained, evaluation) =>
          tensorValidation(
            split,
            evaluation,
            createHierarchicalMetrics(
              { ...trained, spec },
              {
                numTopToTrack: flags.num_top_to_track,
                additionalMatricizations,
                spectrum: evaluation.spectrum,
                matricizations: evaluation.hasTensor,
              },
            ),
          ),
      });
    },
  };
}

/** The three experiments, for a command line. */
export function factorizationExperiments(
  loadData: LoadData,
): readonly [Experiment<MatrixFlags>, Experiment<CpFlags>, Experiment<HierarchicalFlags>] {
  return [matrixExperiment(loadData), cpExperiment(loadData), hierarchicalExperiment(loadData)];
}

function zeroLossStop(flags: TrainingFlags): readonly StopRule[] {
  return [
    {
      kind: "zero-train-loss",
      metric: "train_mse_loss",
      tolerance: flags.stop_on_zero_loss_tol,
      patience: flags.stop_on_zero_loss_patience,
    },
  ];
}

async function loadKind(
  loadData: LoadData,
  flags: TrainingFlags,
  kind: FactorizationData["kind"],
): Promise<FactorizationData> {
  const data = await loadData(flags.dataset_path);
  if (data.kind === kind) return data;
  const command = kind === "matrix" ? "train cp or train ht" : "train mf";
  throw new FactorizationError(
    `--dataset_path: ${flags.dataset_path} is a ${data.kind} data set where a ${kind} one is needed; use ${command} for it`,
  );
}

function targetOf({ targetTensor }: FactorizationData, flags: TrainingFlags): Float32Array {
  if (targetTensor !== undefined) return targetTensor;
  throw new FactorizationError(
    `--dataset_path: ${flags.dataset_path} has no target matrix to compare with; generate it anew with data matrix`,
  );
}

function drawFactorization<Spec extends CpSpec | HierarchicalSpec>(
  spec: Spec,
  flags: TrainingFlags & { readonly init_mean: number; readonly init_std: number },
  random: { fork(stream: string): Parameters<typeof initializeNormal>[1] },
): Factorization & { readonly spec: Spec } {
  requireMemory(spec, flags);
  const factorization = createFactorization(spec);
  initializeNormal(factorization, random.fork("init"), {
    mean: flags.init_mean,
    std: flags.init_std,
  });
  return { ...factorization, spec };
}

function matrixValidation(
  trained: Factorization,
  evaluation: Evaluation,
  targetMatrix: Float32Array,
  numSingularValues: number,
): Validation {
  const spec = trained.spec as MatrixSpec;
  const metrics = createMatrixMetrics(
    { ...trained, spec },
    {
      targetMatrix,
      numSingularValues,
      spectrum: evaluation.spectrum,
    },
  );
  return {
    infos: metrics.infos,
    evaluate(values) {
      evaluation.run();
      metrics.evaluate(values, evaluation.tensor());
    },
  };
}

function matrixMetadata(
  [rows, cols]: readonly number[],
  targetMatrix: Float32Array,
  { values }: Factorization,
): Record<string, unknown> {
  const singularValues = createSpectrum([rows, cols], [0]).singularValues(targetMatrix);
  return {
    "Number of model parameters": values.length,
    "Target matrix rows": rows,
    "Target matrix cols": cols,
    "Target Frobenius norm": frobeniusNorm(targetMatrix),
    "Target matrix nuclear norm": nuclearNorm(singularValues),
    "Target matrix rank": matrixRank(singularValues, rows, cols),
    "Target matrix effective rank": effectiveRank(singularValues),
  };
}

function tensorMetadata(data: FactorizationData, split: DataSplit): Record<string, unknown> {
  return {
    "dataset size": data.samples,
    "# train samples": split.train.samples,
    "# test samples": split.test?.samples ?? 0,
    "train targets Fro norm": frobeniusNorm(split.train.targets),
    "test targets Fro norm": split.test === undefined ? 0 : frobeniusNorm(split.test.targets),
  };
}
