import { describe, expect, test } from "vitest";
import {
  createCpMetrics,
  createHierarchicalMetrics,
  createMatrixMetrics,
  type FactorizationMetrics,
  fullTensor,
} from "../src/index.ts";
import { type GoldenCase, goldenCases } from "./golden.ts";

// Float32 SVDs of the fixtures are good to about 1e-7 σ_1, so small values and effective ranks
// differ more than the norms do; ranks are integers.
const tolerance = 1e-4;

function metricsOf({ factorization, targetMatrix }: GoldenCase): FactorizationMetrics {
  const { spec } = factorization;
  switch (spec.kind) {
    case "mf": {
      const target = Float32Array.from(targetMatrix?.data ?? []);
      return createMatrixMetrics({ ...factorization, spec }, { targetMatrix: target });
    }
    case "cp":
      return createCpMetrics({ ...factorization, spec }, { numTopToTrack: 4 });
    case "ht":
      return createHierarchicalMetrics({ ...factorization, spec }, { numTopToTrack: 3 });
  }
}

describe.each(goldenCases)("metrics, $name", (golden) => {
  const evaluate = (metrics: FactorizationMetrics): Float64Array => {
    const values = new Float64Array(metrics.infos.length);
    metrics.evaluate(values);
    return values;
  };

  test("every metric of the fixture has its value", () => {
    const metrics = metricsOf(golden);
    const values = evaluate(metrics);
    const byName = new Map(metrics.infos.map(({ name }, i) => [name, values[i]]));
    for (const [name, expected] of Object.entries(golden.metrics)) {
      const actual = byName.get(name) ?? NaN;
      expect(Math.abs(actual - expected), name).toBeLessThanOrEqual(tolerance * Math.abs(expected));
    }
  });

  test("the names are those of the fixture, each once", () => {
    const names = metricsOf(golden).infos.map(({ name }) => name);
    const tracked = names.filter((name) => name in golden.metrics || golden.tensor !== undefined);
    expect(tracked.toSorted()).toEqual(Object.keys(golden.metrics).toSorted());
  });

  test("a tensor computed elsewhere gives the same metrics", () => {
    const metrics = metricsOf(golden);
    const values = evaluate(metrics);
    const again = new Float64Array(values.length);
    metrics.evaluate(again, fullTensor(golden.factorization).data);
    expect(again).toEqual(values);
  });
});
