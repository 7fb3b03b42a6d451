import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KernelArgumentError } from "../src/index.ts";
import { checkOperation, seeds } from "./check.ts";
import { accumulate, numbers, uniform } from "./reference.ts";
import { testRuntimes, upload } from "./runtimes.ts";

const runtimes = testRuntimes();
const counts = fc.oneof(fc.integer({ min: 1, max: 70 }), fc.integer({ min: 16000, max: 20000 }));
const decays = fc.constantFrom(0, 0.01);

describe("optimizer steps", () => {
  test("sgdMomentumUpdate is PyTorch's SGD", () => {
    fc.assert(
      fc.property(counts, seeds, decays, (count, seed, weightDecay) => {
        const next = numbers(seed);
        const [g, v, p] = [uniform(next, count), uniform(next, count), uniform(next, count)];
        const expected = accumulate(2 * count, (add) => {
          for (let i = 0; i < count; i++) {
            const velocity = [0.9 * v[i]!, g[i]!, weightDecay * p[i]!];
            for (const term of velocity) {
              add(i, term);
              add(count + i, -0.125 * term);
            }
            add(count + i, p[i]!);
          }
        });
        checkOperation(runtimes, "sgdMomentumUpdate", expected, 4, (builder, runtime, out) =>
          builder.sgdMomentumUpdate({
            count,
            learningRate: 0.125,
            momentum: 0.9,
            weightDecay,
            gradient: upload(runtime, g),
            velocity: upload(runtime, v),
            parameter: upload(runtime, p),
            newVelocity: out,
            newParameter: out + 4 * count,
          }),
        );
      }),
      { numRuns: 15 },
    );
  });

  test("adamUpdate is PyTorch's Adam", () => {
    fc.assert(
      fc.property(
        counts,
        seeds,
        decays,
        fc.integer({ min: 1, max: 1000 }),
        (count, seed, weightDecay, step) => {
          const next = numbers(seed);
          const [g, m, p] = [uniform(next, count), uniform(next, count), uniform(next, count)];
          const s = uniform(next, count).map(Math.abs);
          const [learningRate, beta1, beta2, epsilon] = [0.125, 0.9, 0.999, 1e-8];
          const expected = accumulate(3 * count, (add) => {
            for (let i = 0; i < count; i++) {
              const gradient = g[i]! + weightDecay * p[i]!;
              const first = [beta1 * m[i]!, (1 - beta1) * g[i]!, (1 - beta1) * weightDecay * p[i]!];
              const second = beta2 * s[i]! + (1 - beta2) * gradient ** 2;
              for (const term of first) add(i, term);
              add(count + i, second);
              const root = Math.sqrt(second) / Math.sqrt(1 - beta2 ** step) + epsilon;
              add(2 * count + i, p[i]!);
              for (const term of first) {
                add(2 * count + i, (-learningRate / (1 - beta1 ** step)) * (term / root));
              }
            }
          });
          checkOperation(runtimes, "adamUpdate", expected, 10, (builder, runtime, out) =>
            builder.adamUpdate({
              count,
              learningRate,
              beta1,
              beta2,
              epsilon,
              weightDecay,
              step,
              gradient: upload(runtime, g),
              first: upload(runtime, m),
              second: upload(runtime, s),
              parameter: upload(runtime, p),
              newFirst: out,
              newSecond: out + 4 * count,
              newParameter: out + 8 * count,
            }),
          );
        },
      ),
      { numRuns: 15 },
    );
  });

  test("adamUpdate refuses step 0, which would divide by zero", () => {
    const runtime = runtimes[0]!;
    const pointer = runtime.allocate(64);
    const state = { gradient: pointer, first: pointer, second: pointer, parameter: pointer };
    const results = { newFirst: pointer, newSecond: pointer, newParameter: pointer };
    const rates = { learningRate: 1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8 };
    expect(() =>
      runtime.program().adamUpdate({ count: 1, step: 0, ...rates, ...state, ...results }),
    ).toThrow(KernelArgumentError);
  });
});
