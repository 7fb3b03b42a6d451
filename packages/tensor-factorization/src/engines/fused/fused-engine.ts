import {
  createKernelRuntime,
  type KernelRuntime,
  type KernelVariant,
} from "@implicit-rank/simd-backend";
import { FactorizationError } from "../../errors.ts";
import type { Loss } from "../../loss/loss.ts";
import { modeSizesOf } from "../../model/spec.ts";
import type { Factorization } from "../../model/types.ts";
import type { Optimizer } from "../../optimizers/optimizer.ts";
import type { Observations, StepResult, TrainingStep } from "../engine.ts";
import { validateObservations } from "../validate-observations.ts";
import { type Arena, countingArena, reserveDoubles, reserveFloats, reserveInts } from "./arena.ts";
import { describePlan } from "./describe-plan.ts";
import type { Evaluation } from "./evaluation.ts";
import type { FitPointers, FitProgram, FitRequest } from "./fit-program.ts";
import { type ChoosePlan, type FusedPlan, fusedModel, type ModelBuffers } from "./fused-model.ts";
import { recordSpectrum, reserveSpectrum, type SpectrumBuffers } from "./fused-spectrum.ts";
import { recordUpdate, reserveUpdate, type UpdateBuffers } from "./fused-update.ts";

/** How a fused step is compiled. None of it changes what is computed, beyond rounding. */
export interface FusedOptions {
  /** Threads that share every step. The result depends on their number, never on their timing. */
  readonly threads?: number;
  /** Most samples of one step; less than all saves memory and lets the plan suit minibatches. */
  readonly batchSize?: number;
  /** Observations to evaluate beside training; without them nothing is reserved for `evaluation`. */
  readonly validation?: Observations;
  /** Takes the choice of the plan from the cost model; the plans are given cheapest first. */
  readonly choose?: ChoosePlan;
  /** The most entries of a full tensor that are held at once; larger ones are never formed. */
  readonly maxGridEntries?: number;
  readonly variant?: KernelVariant | "auto";
}

/** A training step in kernel memory: `factorization.values` is a view of it. */
export interface FusedStep extends TrainingStep {
  readonly plan: FusedPlan;
  /** The plan in one line. */
  readonly description: string;
  /** `simd-relaxed` (fused multiply-add) or `simd-plain`: the kernels that run. */
  readonly backend: string;
  /** Evaluates the full tensor and the `validation` observations; undefined without them. */
  readonly evaluation: Evaluation | undefined;
  /** What the machine lacks, one line each: threads, relaxed SIMD. */
  readonly notices: readonly string[];
  /** Bytes of kernel memory. */
  readonly bytes: number;
}

/**
 * Compiles a factorization and its observations to a fused step: loss, gradient and update run as
 * recorded kernel programs on memory that is reserved once, in the cheapest contraction order for the
 * shapes. The parameters are copied into that memory: read them from `step.factorization`
 * while training, and from `factorization` again after `dispose`, which copies them back.
 *
 * @throws FactorizationError if the observations do not fit, or the parameters are not in single
 * precision; MemoryUnavailableError with the bytes needed and available if they do not fit in memory.
 */
export async function compileFused(
  factorization: Factorization,
  observations: Observations,
  loss: Loss,
  optimizer: Optimizer,
  options: FusedOptions = {},
): Promise<FusedStep> {
  validateObservations(factorization.spec, observations);
  const { validation } = options;
  if (validation !== undefined) validateObservations(factorization.spec, validation);
  if (!(factorization.values instanceof Float32Array))
    throw new FactorizationError(
      "parameters: the fused engine trains in single precision; give a Float32Array, or use the plain engine",
    );
  const capacity = Math.min(options.batchSize ?? observations.samples, observations.samples);
  const model = fusedModel(factorization.spec, observations, capacity, options);

  const shape = modeSizesOf(factorization.spec);
  const threads = options.threads ?? 1;
  const reserve = (arena: Arena): StepBuffers => {
    const pointers = reservePointers(arena, factorization, observations, capacity);
    const request: FitRequest = { observations, loss, pointers, capacity };
    return {
      request,
      model: model.reserve(arena, request),
      update: reserveUpdate(arena, optimizer, factorization.values.length),
      spectrum: reserveSpectrum(arena, validation !== undefined && model.hasTensor ? shape : []),
    };
  };
  const counting = countingArena();
  reserve(counting);
  const runtime = await createKernelRuntime({
    bytes: counting.bytes() + model.scratchBytes(threads),
    threads,
    variant: options.variant ?? "auto",
  });
  const buffers = reserve({ allocate: (bytes, label) => runtime.allocate(bytes, label) });
  const { pointers } = buffers.request;
  const values = runtime.floats(pointers.values, factorization.values.length);
  values.set(factorization.values);
  runtime.floats(pointers.targets, observations.samples).set(observations.targets);

  const fit = model.recordFit(runtime, buffers.model, buffers.request);
  const update = recordUpdate(runtime, optimizer, pointers, buffers.update, values.length);
  const evaluation: Evaluation | undefined = validation && {
    ...model.recordEvaluation(runtime, buffers.model, validation),
    hasTensor: model.hasTensor,
    spectrum: (sizes, modes) => recordSpectrum(runtime, buffers.spectrum, sizes, modes),
  };
  const gradient = runtime.floats(pointers.gradient, values.length);
  const readResult = resultReader(runtime, pointers);
  const select = batchSelector(fit, observations.samples, capacity);
  return {
    factorization: { ...factorization, values },
    plan: model.plan,
    description: describePlan(model.plan),
    backend: `simd-${runtime.variant}`,
    evaluation,
    notices: runtime.notices,
    bytes: runtime.capacity,
    step(batch) {
      const count = select(batch);
      fit.run();
      const result = readResult(count);
      update.apply();
      return result;
    },
    gradient(batch) {
      select(batch);
      fit.run();
      return gradient;
    },
    optimizerState: () => update.state(),
    restoreOptimizerState: (state) => {
      update.restore(state);
    },
    dispose: () => {
      factorization.values.set(values);
      runtime.dispose();
    },
  };
}

interface StepBuffers {
  readonly request: FitRequest;
  readonly model: ModelBuffers;
  readonly update: UpdateBuffers;
  readonly spectrum: SpectrumBuffers;
}

function reservePointers(
  arena: Arena,
  factorization: Factorization,
  observations: Observations,
  capacity: number,
): FitPointers {
  const parameters = factorization.values.length;
  return {
    values: reserveFloats(arena, "parameters", parameters),
    gradient: reserveFloats(arena, "gradient", parameters),
    targets: reserveFloats(arena, "targets", observations.samples),
    batch: reserveInts(arena, "batch", capacity),
    sums: reserveDoubles(arena, "sums of the loss", 4),
  };
}

/** Reads the sums of the loss into a result object that is reused. */
function resultReader(
  runtime: KernelRuntime,
  pointers: FitPointers,
): (count: number) => StepResult {
  const sums = runtime.doubles(pointers.sums, 4);
  const result = { loss: 0, meanSquaredError: 0, predictionAbsMean: 0, predictionAbsMax: 0 };
  return (count) => {
    result.loss = sums[0] / count;
    result.meanSquaredError = sums[1] / count;
    result.predictionAbsMean = sums[2] / count;
    result.predictionAbsMax = sums[3];
    return result;
  };
}

/** Selects a batch after checking it: sample numbers in range, each at most once. */
function batchSelector(
  fit: FitProgram,
  samples: number,
  capacity: number,
): (batch: Int32Array | undefined) => number {
  const seen = new Int32Array(samples);
  let round = 0;
  return (batch) => {
    const size = batch?.length ?? samples;
    if (size > capacity || size === 0)
      throw new FactorizationError(
        `batch: ${size} samples where 1 to ${capacity} are possible; compile the step with a batchSize of ${size}`,
      );
    if (batch === undefined) return fit.select(undefined);
    round += 1;
    for (let b = 0; b < size; b++) {
      const sample = batch[b];
      if (sample < 0 || sample >= samples || seen[sample] === round)
        throw new FactorizationError(
          `batch: sample ${sample} is ${seen[sample] === round ? "given twice" : "not one of " + samples}; give each sample number at most once`,
        );
      seen[sample] = round;
    }
    return fit.select(batch);
  };
}

/** The engine with default options; `compileFused` takes more. */
export const fusedEngine = {
  name: "fused",
  /** `compileFused`. */
  compile: compileFused,
} as const;
