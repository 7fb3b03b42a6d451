import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  FactorizationError,
  groupRmsProp,
  type Optimizer,
  plainEngine,
  sampleLoss,
  sampleLossDerivative,
  sgd,
} from "../src/index.ts";
import { createOptimizer } from "../src/optimizers/create-optimizer.ts";
import { losses, randomFactorization, randomObservations } from "./arbitraries.ts";
import { expectClose } from "./closeness.ts";

const optimizers: [string, Optimizer][] = [
  ["GroupRMSprop", groupRmsProp({ lr: 0.02, weightDecay: 0.1 })],
  ["SGD", sgd({ lr: 0.02, momentum: 0.9, weightDecay: 0.1 })],
];

describe("optimizers", () => {
  test("the defaults are those of the reference", () => {
    expect(groupRmsProp()).toEqual({
      kind: "grouprmsprop",
      lr: 0.01,
      alpha: 0.99,
      eps: 1e-6,
      weightDecay: 0,
    });
    expect(sgd()).toEqual({ kind: "sgd", lr: 0.01, momentum: 0, weightDecay: 0 });
  });

  test("GroupRMSprop divides by the root mean squared norm of all gradients together", () => {
    const values = Float64Array.of(1, 2);
    const run = createOptimizer(groupRmsProp({ lr: 0.1, alpha: 0.5, eps: 0 }), values);
    run.update(values, Float64Array.of(3, 4));
    // v = 0.5 · 25, corrected by 1 - 0.5: rate 0.1 / 5.
    expectClose(values, [1 - 0.06, 2 - 0.08], 1e-14);
    run.update(values, Float64Array.of(0, 1));
    const rate = 0.1 / Math.sqrt((0.5 * 12.5 + 0.5) / 0.75);
    expectClose(values, [0.94, 1.92 - rate], 1e-14);
  });

  test("SGD adds the decayed gradient to its velocity", () => {
    const values = Float64Array.of(1);
    const run = createOptimizer(sgd({ lr: 0.1, momentum: 0.5, weightDecay: 2 }), values);
    run.update(values, Float64Array.of(1));
    expectClose(values, [1 - 0.1 * 3], 1e-14);
    run.update(values, Float64Array.of(1));
    expectClose(values, [0.7 - 0.1 * (0.5 * 3 + 1 + 1.4)], 1e-14);
    expect(run.state()).toEqual({ step: 2, velocity: Float64Array.of(0.5 * 3 + 1 + 1.4) });
  });

  test.each(optimizers)("%s: a state that was taken does not change", (_, optimizer) => {
    const values = Float32Array.of(1, 2);
    const run = createOptimizer(optimizer, values);
    run.update(values, Float32Array.of(3, 4));
    const state = run.state();
    const copy = structuredClone(state);
    run.update(values, Float32Array.of(5, 6));
    expect(state).toEqual(copy);
  });

  test.each(optimizers)(
    "%s goes on with the same bits from its saved state",
    async (_, optimizer) => {
      const spec = {
        kind: "cp",
        modeSizes: [3, 3, 2],
        components: 2,
        outputWeights: true,
      } as const;
      const observations = randomObservations(spec, "sensing", 5, 8);
      const start = async (
        seed: number,
      ): Promise<Awaited<ReturnType<typeof plainEngine.compile>>> =>
        plainEngine.compile(
          randomFactorization(spec, seed, "single"),
          observations,
          { kind: "l2" },
          optimizer,
        );
      const whole = await start(8);
      for (let i = 0; i < 3; i++) whole.step();
      const savedState = structuredClone(whole.optimizerState());
      const savedValues = whole.factorization.values.slice();
      for (let i = 0; i < 4; i++) whole.step();
      const resumed = await start(9);
      resumed.factorization.values.set(savedValues);
      resumed.restoreOptimizerState(savedState);
      for (let i = 0; i < 4; i++) resumed.step();
      expect(resumed.factorization.values).toEqual(whole.factorization.values);
      expect(resumed.optimizerState()).toEqual(whole.optimizerState());
    },
  );

  test("a state of another optimizer or size is refused", () => {
    const two = Float32Array.of(0, 0);
    const rms = createOptimizer(groupRmsProp(), two);
    const momentum = createOptimizer(sgd(), two);
    expect(() => rms.restore(momentum.state())).toThrow(
      new FactorizationError(
        "--optimizer: the saved state is not of grouprmsprop; resume with the optimizer it was saved with",
      ),
    );
    expect(() => momentum.restore(rms.state())).toThrow(/^--optimizer: .* not of sgd/);
    expect(() => momentum.restore({ step: 1, velocity: new Float32Array(3) })).toThrow(
      /velocity has 3 values for 2 parameters/,
    );
  });
});

describe("losses", () => {
  test.each([
    [{ kind: "l2" } as const, 3, 9, 6],
    [{ kind: "l1" } as const, -3, 3, -1],
    [{ kind: "l1" } as const, 0, 0, 0],
    [{ kind: "huber", threshold: 2 } as const, 1, 0.25, 0.5],
    [{ kind: "huber", threshold: 2 } as const, -5, 4, -1],
  ])("%j at %d", (loss, residual, value, derivative) => {
    expect(sampleLoss(loss, residual)).toBe(value);
    expect(sampleLossDerivative(loss, residual)).toBe(derivative);
  });

  test("are even, and their derivatives are their slopes", () => {
    fc.assert(
      fc.property(losses, fc.double({ min: 0.01, max: 3, noNaN: true }), (loss, residual) => {
        expect(sampleLoss(loss, -residual)).toBe(sampleLoss(loss, residual));
        const h = 1e-6;
        const slope = (sampleLoss(loss, residual + h) - sampleLoss(loss, residual - h)) / (2 * h);
        expect(Math.abs(sampleLossDerivative(loss, residual) - slope)).toBeLessThan(1e-5);
      }),
    );
  });
});
