import ndarray from "ndarray";
import { describe, expect, test } from "vitest";
import { type CompiledStep, compileStep } from "../../src/experiment/compile-step.ts";
import { splitData } from "../../src/experiment/factorization-data.ts";
import { cpFlags, type FactorizationData } from "../../src/experiment/index.ts";
import {
  cpSpec,
  createFactorization,
  type Factorization,
  type FactorizationSpec,
  fullTensor,
  groupRmsProp,
  hierarchicalSpec,
  type Loss,
  matricization,
  matrixSpec,
  type Optimizer,
  plainEngine,
  predict,
  sgd,
  singularValues,
} from "../../src/index.ts";
import { randomFactorization } from "../arbitraries.ts";
import { expectClose } from "../closeness.ts";
import { completionData, sensingData } from "./training-data.ts";

/** Kernels add in single precision what the readable functions add in double. */
const tolerance = 1e-5;

const engines = ["fused", "plain", "tfjs"] as const;
const specs: readonly FactorizationSpec[] = [
  matrixSpec({ rows: 4, cols: 3, depth: 2 }),
  cpSpec({ modeSizes: [3, 2, 4], components: 3 }),
  hierarchicalSpec({ modeSizes: [2, 3, 2], widths: [3, 2] }),
];
const cases = specs.flatMap((spec) =>
  engines.flatMap((engine) =>
    [completionData(spec), sensingData(spec, 20)].map(
      (data) => [engine, spec.kind, data.task, spec, data] as const,
    ),
  ),
);

async function compile(
  spec: FactorizationSpec,
  data: FactorizationData,
  flags: Readonly<Record<string, unknown>>,
): Promise<CompiledStep & { factorization: Factorization; lines: string[] }> {
  const factorization = randomFactorization(spec, 41, "single");
  const split = splitData(data, 9, -1);
  const lines: string[] = [];
  const compiled = await compileStep({
    factorization,
    train: split.train,
    validation: split.both,
    flags: cpFlags.parse({ dataset_path: "data.npz", ...flags }),
    log: (line) => lines.push(line),
  });
  return { ...compiled, factorization, lines };
}

describe("evaluation for validation", () => {
  test.each(cases)("%s engine, %s, %s", async (engine, _kind, _task, spec, data) => {
    const { step, evaluation } = await compile(spec, data, { engine });
    step.step();
    evaluation.run();
    const values = Float32Array.from(step.factorization.values);
    const trained = createFactorization(spec, values);
    const tensor = fullTensor(trained);
    const { samples } = data;
    const inputs =
      data.task === "completion"
        ? ndarray(data.indices!, [samples, data.modeSizes.length])
        : ndarray(data.inputs!, [
            samples,
            ...(spec.kind === "mf"
              ? data.modeSizes
              : [data.modeSizes.length, Math.max(...data.modeSizes)]),
          ]);
    expect(evaluation.hasTensor).toBe(true);
    expectClose(evaluation.tensor()!, tensor.data, tolerance);
    expectClose(evaluation.predictions(), predict(trained, inputs).data, tolerance);
    expectClose(
      evaluation.spectrum(data.modeSizes, [0]).singularValues(evaluation.tensor()!),
      singularValues(matricization(tensor, [0])),
      1e-4,
    );
    step.dispose();
  });

  test("predictions of the readable engine do not wait for the full tensor", async () => {
    const [, spec] = specs;
    const data = completionData(spec);
    const { step, evaluation, factorization } = await compile(spec, data, { engine: "plain" });
    expect(evaluation.tensor()).toBeUndefined();
    const before = Float64Array.from(fullTensor(factorization).data);
    expectClose(evaluation.predictions(), before, 1e-12);
    step.dispose();
  });
});

describe("what the flags ask for", () => {
  const [, spec] = specs;
  const data = sensingData(spec, 20);

  const choices: [Readonly<Record<string, unknown>>, Loss, Optimizer][] = [
    [{}, { kind: "l2" }, groupRmsProp({ lr: 0.01 })],
    [{ loss: "l1", lr: 0.2 }, { kind: "l1" }, groupRmsProp({ lr: 0.2 })],
    [
      { loss: "huber", huber_loss_thresh: 0.4, optimizer: "sgd", lr: 0.03, momentum: 0.5 },
      { kind: "huber", threshold: 0.4 },
      sgd({ lr: 0.03, momentum: 0.5 }),
    ],
  ];
  test.each(choices)("%j: this loss, by this optimizer", async (flags, loss, optimizer) => {
    const { step, factorization } = await compile(spec, data, { engine: "plain", ...flags });
    const copy = createFactorization(spec, randomFactorization(spec, 41, "single").values);
    const expected = await plainEngine.compile(copy, splitData(data, 9, 0).train, loss, optimizer);
    for (let i = 0; i < 3; i++) expect(step.step()).toEqual(expected.step());
    expect(factorization.values).toEqual(copy.values);
  });

  test("the fused engine's batches are no larger than --batch_size", async () => {
    const { step } = await compile(spec, data, { batch_size: 4 });
    expect(() => step.step(Int32Array.of(0, 1, 2, 3))).not.toThrow();
    expect(() => step.step(Int32Array.of(0, 1, 2, 3, 4))).toThrow(
      /5 samples where 1 to 4 are possible/,
    );
    step.dispose();
  });

  test("the plan and the backend are named", async () => {
    const fused = await compile(spec, data, {});
    expect(fused.plan).toContain("million multiply-adds a step");
    expect(fused.backend).toMatch(/^simd-(relaxed|plain)$/);
    fused.step.dispose();
    for (const engine of ["plain", "tfjs"]) {
      const { plan, backend, step } = await compile(spec, data, { engine });
      expect(plan).toBe(`${engine} engine`);
      expect(backend).toBe(engine);
      step.dispose();
    }
  });

  test("threads that an engine cannot use are told, those of fused are not", async () => {
    const { lines } = await compile(spec, data, { engine: "plain", threads: 2 });
    expect(lines).toEqual(["The plain engine runs on one thread; --threads 2 is for fused."]);
    const alone = await compile(spec, data, { engine: "plain", threads: 1 });
    expect(alone.lines).toEqual([]);
    const { step, lines: notices } = await compile(spec, data, { engine: "fused", threads: 2 });
    expect(notices.filter((line) => line.includes("runs on one thread"))).toEqual([]);
    step.dispose();
  });
});
