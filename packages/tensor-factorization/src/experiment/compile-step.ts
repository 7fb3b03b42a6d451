import ndarray from "ndarray";
import { type Evaluation, readEntries } from "../engines/fused/evaluation.ts";
import type { Engine, Observations, TrainingStep } from "../engines/engine.ts";
import { FactorizationError } from "../errors.ts";
import type { Loss } from "../loss/loss.ts";
import { createSpectrum } from "../metrics/spectrum.ts";
import { entryCount, modeSizesOf } from "../model/spec.ts";
import type { Factorization } from "../model/types.ts";
import { groupRmsProp, type Optimizer, sgd } from "../optimizers/optimizer.ts";
import { compileFullTensor } from "../tensor/full-tensor.ts";
import { predict } from "../tensor/predict.ts";
import type { TrainingFlags } from "./flags.ts";

/** The most entries of a full tensor that the plain and tfjs engines evaluate for validation. */
const maxEntries = 2 ** 26;

/** A compiled step, and how its factorization is evaluated for validation. */
export interface CompiledStep {
  readonly step: TrainingStep;
  readonly evaluation: Evaluation;
  /** For the log: how the step is computed. */
  readonly plan: string;
  /** What runs the step, for the run's provenance. */
  readonly backend: string;
}

export interface StepRequest {
  readonly factorization: Factorization;
  readonly train: Observations;
  readonly validation: Observations;
  readonly flags: TrainingFlags;
  log(line: string): void;
}

/** Compiles the step with the engine that the flags name; engines are loaded when they are asked for. */
export async function compileStep(request: StepRequest): Promise<CompiledStep> {
  switch (request.flags.engine) {
    case "fused":
      return compileFusedStep(request);
    case "plain": {
      const { plainEngine } = await import("../engines/plain/plain-engine.ts");
      return compileReference(request, plainEngine);
    }
    case "tfjs":
      return compileReference(request, await loadTfjsEngine());
  }
}

async function compileFusedStep(request: StepRequest): Promise<CompiledStep> {
  const { supportedFeatures } = await import("@implicit-rank/simd-backend");
  if (!supportedFeatures().simd) {
    request.log("This machine's WebAssembly has no SIMD: training with the plain engine instead.");
    const { plainEngine } = await import("../engines/plain/plain-engine.ts");
    return compileReference(request, plainEngine);
  }
  const { compileFused } = await import("../engines/fused/fused-engine.ts");
  const { factorization, train, validation, flags } = request;
  const step = await compileFused(factorization, train, lossOf(flags), optimizerOf(flags), {
    threads: flags.threads,
    validation,
    ...(flags.batch_size > 0 && { batchSize: flags.batch_size }),
  });
  for (const notice of step.notices) request.log(notice);
  return { step, evaluation: step.evaluation!, plan: step.description, backend: step.backend };
}

/** The tfjs engine on the backend that is registered, or on tfjs's CPU backend if none is. */
async function loadTfjsEngine(): Promise<Engine> {
  try {
    const { engine } = await import("@tensorflow/tfjs-core");
    if (engine().backendNames().length === 0) await import("@tensorflow/tfjs-backend-cpu");
    const { tfjsEngine } = await import("../engines/tfjs/tfjs-engine.ts");
    return tfjsEngine;
  } catch {
    throw new FactorizationError(
      "--engine: tfjs needs packages that are not installed; npm install @tensorflow/tfjs-core @tensorflow/tfjs-backend-cpu, or use --engine fused",
    );
  }
}

async function compileReference(request: StepRequest, engine: Engine): Promise<CompiledStep> {
  const { factorization, train, validation, flags } = request;
  if (flags.threads > 1)
    request.log(
      `The ${engine.name} engine runs on one thread; --threads ${flags.threads} is for fused.`,
    );
  const step = await engine.compile(factorization, train, lossOf(flags), optimizerOf(flags));
  return {
    step,
    evaluation: referenceEvaluation(step.factorization, validation),
    plan: `${engine.name} engine`,
    backend: engine.name,
  };
}

/** Evaluates in double precision with the readable functions. */
function referenceEvaluation(factorization: Factorization, validation: Observations): Evaluation {
  const { spec } = factorization;
  const { samples } = validation;
  const contract = entryCount(spec) <= maxEntries ? compileFullTensor(factorization) : undefined;
  const predicted = new Float64Array(samples);
  const inputs =
    validation.task === "completion"
      ? ndarray(validation.indices, [samples, modeSizesOf(spec).length])
      : ndarray(validation.inputs, [samples, ...encodingShape(factorization)]);
  let tensor: Float64Array | undefined;
  return {
    run() {
      tensor = contract?.().data;
    },
    tensor: () => tensor,
    hasTensor: contract !== undefined,
    spectrum: createSpectrum,
    predictions: () =>
      tensor !== undefined && validation.task === "completion"
        ? readEntries(tensor, modeSizesOf(spec), validation.indices, predicted)
        : predict(factorization, inputs).data,
  };
}

function encodingShape({ spec }: Factorization): number[] {
  const sizes = modeSizesOf(spec);
  return spec.kind === "mf" ? [...sizes] : [sizes.length, Math.max(...sizes)];
}

function lossOf(flags: TrainingFlags): Loss {
  return flags.loss === "huber"
    ? { kind: "huber", threshold: flags.huber_loss_thresh }
    : { kind: flags.loss };
}

function optimizerOf(flags: TrainingFlags): Optimizer {
  return flags.optimizer === "sgd"
    ? sgd({ lr: flags.lr, momentum: flags.momentum })
    : groupRmsProp({ lr: flags.lr });
}
