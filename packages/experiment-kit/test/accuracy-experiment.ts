import { z } from "zod";
import type { Experiment } from "../src/index.ts";

const flags = z.object({
  distance: z.number().int().default(0).describe("how hard the task is"),
  grad_change_reg_coeff: z.number().default(0).describe("how far the fall is held up"),
});

/**
 * What trainings of image classifiers look like, in closed form: metrics whose names hold blanks, accuracies that
 * fall with the distance (less so with a coefficient), larger scores better.
 */
export const accuracyExperiment: Experiment<z.infer<typeof flags>> = {
  name: "accuracy",
  flags,
  defaultScore: { metric: "val accuracy", source: "validation", largest: true },
  prepare({ distance, grad_change_reg_coeff: coefficient }, { random }) {
    const luck = 0.01 * random.uniform();
    const limit = 0.95 - (0.4 * distance) / 160 / (1 + coefficient) + luck;
    let epoch = 0;
    const learned = (): number => 1 - Math.exp(-(epoch + 1) / 10);
    return Promise.resolve({
      metadata: { "train dataset size": 100, "test dataset size": 100 },
      numParameters: 1,
      trainMetrics: [
        { name: "train loss", tag: "loss" },
        { name: "train accuracy", tag: "accuracy" },
        { name: "regularization" },
      ],
      validationMetrics: [
        { name: "val loss", tag: "loss" },
        { name: "val accuracy", tag: "accuracy" },
      ],
      batchesPerEpoch: 1,
      startEpoch(number) {
        epoch = number;
      },
      trainBatch(_, values) {
        values[0] = 0.7 * (1 - learned()) + 0.001;
        values[1] = 0.5 + 0.5 * learned();
        values[2] = coefficient === 0 ? 0 : 0.3 * (1 - 0.8 * learned());
        return 100;
      },
      validate(values) {
        values[0] = 0.7 - 0.5 * (limit - 0.5) * learned();
        values[1] = 0.5 + (limit - 0.5) * learned();
      },
      save: () => ({ arrays: {}, metadata: {} }),
      restore: () => undefined,
    });
  },
};
