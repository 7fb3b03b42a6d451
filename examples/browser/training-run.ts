import { compileFused, componentNorms, groupRmsProp } from "@implicit-rank/tensor-factorization";
import { drawProblem } from "./problem.ts";
import type { Settings } from "./settings.ts";

/** What has been measured so far; all lists have one value for each recorded iteration. */
export interface Curves {
  readonly iterations: readonly number[];
  /** Mean squared errors at observed entries and at the others. */
  readonly observedLoss: readonly number[];
  readonly unseenLoss: readonly number[];
  /** The largest component norms, descending: a list for each iteration. */
  readonly norms: readonly (readonly number[])[];
}

export interface TrainingRun {
  readonly facts: TrainingFacts;
  readonly iteration: number;
  /** Why there is nothing left to do, or undefined. */
  readonly ended: "converged" | "diverged" | "given up" | undefined;
  /** Trains this many steps, or until the clock (`performance.now()`) passes the deadline. */
  train(steps: number, deadline: number): void;
  curves(): Curves;
  dispose(): void;
}

/** What does not change while a problem is trained. */
export interface TrainingFacts {
  readonly targetNorms: readonly number[];
  readonly parameters: number;
  readonly observations: number;
  readonly backend: string;
}

/** More points than a screen has room for make drawing slow and nothing clearer. */
const mostPoints = 400;
/** The target's entries have a mean square of one: this is an error of a third of a percent. */
const convergedLoss = 1e-5;
/** A page that someone has left open does not compute forever. */
const mostIterations = 200_000;

export async function startTraining(settings: Settings): Promise<TrainingRun> {
  const { factorization, observed, unseen, targetNorms } = drawProblem(settings);
  const training = await compileFused(
    factorization,
    observed,
    { kind: "l2" },
    groupRmsProp({ lr: settings.learningRate }),
    { validation: unseen },
  );
  const trained = { ...training.factorization, spec: factorization.spec };
  const evaluation = training.evaluation!;
  const shown = Math.min(settings.components, settings.rank + 4);
  const points: {
    iteration: number;
    observedLoss: number;
    unseenLoss: number;
    norms: number[];
  }[] = [];
  let interval = 1;
  let iteration = 0;
  let ended: TrainingRun["ended"];

  const unseenLoss = (): number => {
    evaluation.run();
    const predictions = evaluation.predictions();
    let squares = 0;
    for (let s = 0; s < unseen.samples; s++) squares += (predictions[s]! - unseen.targets[s]!) ** 2;
    return squares / unseen.samples;
  };

  /** Measures before the step, as the loss of the step is. When there are too many points, every second one goes. */
  const trainOnce = (): void => {
    const measured = iteration % interval === 0 && {
      iteration,
      unseenLoss: unseenLoss(),
      norms: [...componentNorms(trained).subarray(0, shown)],
    };
    const { loss } = training.step();
    iteration++;
    if (!Number.isFinite(loss)) ended = "diverged";
    else if (loss < convergedLoss) ended = "converged";
    else if (iteration === mostIterations) ended = "given up";
    if (measured === false) return;
    points.push({ ...measured, observedLoss: loss });
    if (points.length <= mostPoints) return;
    interval *= 2;
    points.splice(0, points.length, ...points.filter((point) => point.iteration % interval === 0));
  };

  return {
    facts: {
      targetNorms,
      parameters: factorization.values.length,
      observations: observed.samples,
      backend: training.backend,
    },
    get iteration() {
      return iteration;
    },
    get ended() {
      return ended;
    },
    train(steps, deadline) {
      for (let done = 0; done < steps && ended === undefined; done++) {
        if (performance.now() > deadline) break;
        trainOnce();
      }
    },
    curves: () => ({
      iterations: points.map((point) => point.iteration),
      observedLoss: points.map((point) => point.observedLoss),
      unseenLoss: points.map((point) => point.unseenLoss),
      norms: points.map((point) => point.norms),
    }),
    dispose: () => {
      training.dispose();
    },
  };
}
