// An experiment of your own in the harness: a run folder, checkpoints, exact resume and plots for free.
// Gradient descent on a two-layer scalar "network" w = a · b, whose product must reach 1.
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Experiment, readMetrics, runExperiment } from "@implicit-rank/experiment-kit";
import { z } from "zod";

const flags = z.object({
  lr: z.number().positive().default(0.05).describe("learning rate"),
  init: z.number().default(0.01).describe("both parameters at the start"),
});

const scalarProduct: Experiment<z.infer<typeof flags>> = {
  name: "scalar-product",
  flags,
  defaultScore: { metric: "loss", source: "train", largest: false },
  async prepare({ lr, init }) {
    const parameters = Float64Array.of(init, init);
    return {
      metadata: { target: 1 },
      numParameters: 2,
      batchesPerEpoch: 1,
      trainMetrics: [{ name: "loss" }],
      validationMetrics: [{ name: "product" }],
      trainBatch(_batch, values) {
        const [a, b] = parameters as unknown as [number, number];
        const residual = a * b - 1;
        values[0] = residual ** 2;
        parameters[0] = a - lr * 2 * residual * b;
        parameters[1] = b - lr * 2 * residual * a;
        return 1;
      },
      validate(values) {
        values[0] = parameters[0]! * parameters[1]!;
      },
      save: () => ({
        arrays: { parameters: { shape: [2], data: parameters.slice() } },
        metadata: {},
      }),
      restore({ arrays }) {
        parameters.set(arrays["parameters"]!.data as Float64Array);
      },
    };
  },
};

const { folder, score } = await runExperiment(
  scalarProduct,
  { epochs: 120, validate_every: 20, outputs_dir: join(tmpdir(), "implicit-rank-example") },
  { output: "quiet" },
);
const { series } = await readMetrics(folder);
const product = series.get("product")!;
product.epochs.forEach((epoch, index) => {
  console.log(`epoch ${epoch}: product ${product.values[index]!.toFixed(4)}`);
});
console.log(`final loss ${score?.toExponential(2)}, run folder ${folder}`);
