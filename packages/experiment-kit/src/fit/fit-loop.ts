import type { Trainable } from "../experiment.ts";
import type { Callback, Fit, HookResult } from "./callback.ts";
import type { TrackedMetrics } from "./metric-values.ts";
import { StopRequest } from "./stop-request.ts";

/** What a fit is made of. */
export interface FitOptions {
  readonly trainable: Trainable;
  readonly metrics: TrackedMetrics;
  readonly callbacks: readonly Callback[];
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  readonly validateEvery: number;
  /** Seconds of training before this fit (resume). */
  readonly elapsedBefore: number;
  /** Set from outside, for example by a signal; training ends after the current epoch. */
  readonly interruption: { reason: string | undefined };
  /** The training is over already, for this reason: only its end hooks run. */
  readonly stopped?: StopRequest;
}

/** The event loop gets a turn (signals, timers, streams) this often. */
const YIELD_INTERVAL_MS = 50;

/**
 * Trains from `firstEpoch` to `lastEpoch` (0-based, inclusive) or until a stop request. Train metrics of
 * an epoch are the sample-weighted averages of its batches' values, each taken before the batch's
 * update; an epoch is validated after its updates if `(epoch + 1) % validateEvery == 0` or it is the
 * last scheduled one.
 *
 * Nothing is allocated and nothing awaited in an epoch unless a hook, a batch or a validation returns a
 * promise.
 *
 * @returns the state at the end; `stop` says why if it ended early.
 * @throws whatever a callback or the trainable throws other than a StopRequest.
 */
export async function runFit(options: FitOptions): Promise<Fit> {
  const { trainable, interruption } = options;
  const state = createState(options);
  const hooks = collectHooks(options.callbacks);
  const trainPhase = createTrainPhase(trainable, state, hooks);
  const epochEnd = [hooks.onEpochTrainAndValidationEnd, hooks.onEpochEnd];
  const validationPhase = createValidationPhase(trainable, state, hooks);
  try {
    await call(hooks.onFitInitialization, state);
    await call(hooks.onFitStart, state);
    let yieldAt = state.now + YIELD_INTERVAL_MS;
    while (state.epoch < state.lastEpoch && state.stop === undefined) {
      state.epoch++;
      state.validated = false;
      try {
        const started = call(hooks.onEpochStart, state);
        if (started !== undefined) await started;
      } catch (error) {
        state.epoch--;
        await stopOrThrow(error, state, hooks);
        break;
      }
      try {
        const trained = trainPhase();
        if (trained !== undefined) await trained;
        if ((state.epoch + 1) % state.validateEvery === 0 || state.epoch === state.lastEpoch) {
          const validated = validationPhase();
          if (validated !== undefined) await validated;
        }
      } catch (error) {
        await stopOrThrow(error, state, hooks);
      }
      state.now = performance.now();
      for (const hook of epochEnd) {
        try {
          const ended = call(hook, state);
          if (ended !== undefined) await ended;
        } catch (error) {
          await stopOrThrow(error, state, hooks);
        }
      }
      if (state.now >= yieldAt) {
        await new Promise(setImmediate);
        yieldAt = performance.now() + YIELD_INTERVAL_MS;
      }
      if (
        interruption.reason !== undefined &&
        state.stop === undefined &&
        state.epoch < state.lastEpoch
      ) {
        await stopOrThrow(new StopRequest("interrupted", interruption.reason), state, hooks);
      }
    }
    state.now = performance.now();
    await callFitEnd(state, hooks);
  } catch (error) {
    if (state.stop !== error) await callWithError(hooks.onException, state, error);
    throw error;
  } finally {
    state.now = performance.now();
    await call(hooks.onFitTermination, state);
  }
  return state;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };
type FitState = Mutable<Fit>;

function createState(options: FitOptions): FitState {
  const startedAt = performance.now();
  const { trainable, metrics, firstEpoch, lastEpoch, validateEvery, elapsedBefore } = options;
  const state: FitState = {
    trainable,
    metrics,
    validateEvery,
    firstEpoch,
    lastEpoch,
    epoch: firstEpoch - 1,
    batchValues: new Float64Array(trainable.trainMetrics.length),
    validated: false,
    stop: options.stopped,
    now: startedAt,
    elapsedSeconds: () => elapsedBefore + (state.now - startedAt) / 1000,
  };
  return state;
}

async function stopOrThrow(error: unknown, state: FitState, hooks: Hooks): Promise<void> {
  if (!(error instanceof StopRequest)) throw error;
  state.stop = error;
  await callWithError(hooks.onException, state, error);
}

/** The end hooks of a fit; one may find that the run has diverged. */
async function callFitEnd(state: FitState, hooks: Hooks): Promise<void> {
  for (const hook of hooks.onFitEnd) {
    try {
      await hook(state);
    } catch (error) {
      await stopOrThrow(error, state, hooks);
    }
  }
}

/** All batches of one epoch. Awaits only if a batch or a hook returned a promise. */
function createTrainPhase(trainable: Trainable, state: FitState, hooks: Hooks): () => HookResult {
  const { values, epochs } = state.metrics.train;
  const { batchValues } = state;
  const batches = trainable.batchesPerEpoch;
  const sums = new Float64Array(values.length);
  let samples = 0;

  const addBatch = (count: number): void => {
    samples += count;
    for (let i = 0; i < sums.length; i++) sums[i] = sums[i]! + batchValues[i]! * count;
  };
  const finish = (): HookResult => {
    // The average over one batch is its value; n·v/n may round differently.
    for (let i = 0; i < values.length; i++)
      values[i] = batches === 1 ? batchValues[i]! : sums[i]! / samples;
    epochs.fill(state.epoch);
    return call(hooks.onEpochTrainEnd, state);
  };
  const begin = (): HookResult => {
    sums.fill(0);
    samples = 0;
    trainable.startEpoch?.(state.epoch);
    return call(hooks.onEpochTrainStart, state);
  };

  const single = (): HookResult => {
    const begun = begin();
    if (
      begun !== undefined ||
      hooks.onTrainBatchStart.length > 0 ||
      hooks.onTrainBatchEnd.length > 0
    )
      return several(begun);
    const count = trainable.trainBatch(0, batchValues);
    return typeof count === "number" ? finish() : count.then(finish);
  };
  const several = async (begun: HookResult): Promise<void> => {
    if (begun !== undefined) await begun;
    let yieldAt = performance.now() + YIELD_INTERVAL_MS;
    for (let batch = 0; batch < batches; batch++) {
      const starting = callWithBatch(hooks.onTrainBatchStart, state, batch);
      if (starting !== undefined) await starting;
      const count = trainable.trainBatch(batch, batchValues);
      addBatch(typeof count === "number" ? count : await count);
      state.now = performance.now();
      const ending = callWithBatch(hooks.onTrainBatchEnd, state, batch);
      if (ending !== undefined) await ending;
      if (state.now >= yieldAt) {
        await new Promise(setImmediate);
        yieldAt = performance.now() + YIELD_INTERVAL_MS;
      }
    }
    const finished = finish();
    if (finished !== undefined) await finished;
  };
  return batches === 1 ? single : () => several(begin());
}

function createValidationPhase(
  trainable: Trainable,
  state: FitState,
  hooks: Hooks,
): () => HookResult {
  const { values, epochs } = state.metrics.validation;
  const finish = (): HookResult => {
    epochs.fill(state.epoch);
    state.validated = true;
    return call(hooks.onEpochValidationEnd, state);
  };
  const onProgress = (done: number, total: number): void => {
    state.now = performance.now();
    for (const hook of hooks.onValidationProgress) hook(state, done, total);
  };
  const validate = (): HookResult => {
    const validated = trainable.validate(values, onProgress);
    return validated === undefined ? finish() : validated.then(finish);
  };
  return () => {
    const started = call(hooks.onEpochValidationStart, state);
    return started === undefined ? validate() : started.then(validate);
  };
}

type Hook = (fit: Fit) => HookResult;
type BatchHook = (fit: Fit, batch: number) => HookResult;
type ErrorHook = (fit: Fit, error: unknown) => HookResult;

type Hooks = ReturnType<typeof collectHooks>;

/** For each hook the callbacks that have it, so that an unused hook costs nothing. */
function collectHooks(callbacks: readonly Callback[]) {
  const those = <Name extends HookName>(name: Name) =>
    callbacks.flatMap((callback) => {
      const hook = callback[name];
      return hook === undefined ? [] : [hook.bind(callback) as NonNullable<Callback[Name]>];
    });
  return {
    onFitInitialization: those("onFitInitialization"),
    onFitStart: those("onFitStart"),
    onEpochStart: those("onEpochStart"),
    onEpochTrainStart: those("onEpochTrainStart"),
    onTrainBatchStart: those("onTrainBatchStart"),
    onTrainBatchEnd: those("onTrainBatchEnd"),
    onEpochTrainEnd: those("onEpochTrainEnd"),
    onEpochValidationStart: those("onEpochValidationStart"),
    onValidationProgress: those("onValidationProgress"),
    onEpochValidationEnd: those("onEpochValidationEnd"),
    onEpochTrainAndValidationEnd: those("onEpochTrainAndValidationEnd"),
    onEpochEnd: those("onEpochEnd"),
    onException: those("onException"),
    onFitEnd: those("onFitEnd"),
    onFitTermination: those("onFitTermination"),
  };
}

type HookName = Extract<keyof Callback, `on${string}`>;

function call(hooks: readonly Hook[], fit: Fit): HookResult {
  for (let i = 0; i < hooks.length; i++) {
    const result = hooks[i]!(fit);
    if (result !== undefined) return callRest(hooks, i + 1, result, fit);
  }
}

async function callRest(
  hooks: readonly Hook[],
  next: number,
  pending: Promise<void>,
  fit: Fit,
): Promise<void> {
  await pending;
  for (let i = next; i < hooks.length; i++) await hooks[i]!(fit);
}

function callWithBatch(hooks: readonly BatchHook[], fit: Fit, batch: number): HookResult {
  for (let i = 0; i < hooks.length; i++) {
    const result = hooks[i]!(fit, batch);
    if (result !== undefined) return callRestWithBatch(hooks, i + 1, result, fit, batch);
  }
}

async function callRestWithBatch(
  hooks: readonly BatchHook[],
  next: number,
  pending: Promise<void>,
  fit: Fit,
  batch: number,
): Promise<void> {
  await pending;
  for (let i = next; i < hooks.length; i++) await hooks[i]!(fit, batch);
}

async function callWithError(hooks: readonly ErrorHook[], fit: Fit, error: unknown): Promise<void> {
  for (const hook of hooks) await hook(fit, error);
}
