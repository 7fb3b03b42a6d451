import { inject, expect, test } from "vitest";
import { bundle } from "../publishing/bundle.ts";
import { moduleSpecifiers } from "../publishing/published-packages.ts";

/** Stay imports: peers, and what is not for bundlers. All others, such as zod, would be in the bundle. */
const outside = [/^@tensorflow\//, /^@resvg\//, /^jsdom$/];

/** For one small export of each module: what is left to import, and the most bytes that it may take. */
const small: readonly (readonly [name: string, from: string, imports: string[], bytes: number])[] =
  [
    ["randomSeed", "random", [], 300],
    ["isChecksumIntact", "array-files", ["node:crypto"], 1_000],
    ["encodeSafetensors", "array-files", [], 4_500],
    ["reductionWorkspaceBytes", "simd-backend", [], 1_000],
    ["HeapExhaustedError", "simd-backend/tfjs", [], 1_000],
    ["effectiveRank", "tensor-factorization", [], 500],
    ["createModeTree", "tensor-factorization", [], 2_000],
    ["plainEngine", "tensor-factorization", [], 18_000],
    ["forward", "tensor-factorization/tfjs", ["@tensorflow/tfjs-core"], 6_000],
    ["pathfinderPatches", "locality-bias", [], 2_500],
    ["createAdam", "locality-bias", ["@tensorflow/tfjs-core"], 4_000],
    ["pairPlaces", "datasets", [], 1_500],
    ["createComposer", "datasets", [], 3_000],
    ["cosineSchedule", "experiment-kit", [], 500],
    ["meanCurve", "experiment-kit/figures", [], 1_000],
  ];

test.each(small)("%s of %s is bundled without the rest", async (name, from, imports, bytes) => {
  const result = await bundle(`export { ${name} } from "@implicit-rank/${from}";`, outside);
  expect(result.imports).toEqual(imports);
  expect(result.code.length).toBeLessThan(bytes);
});

const specifiers = inject("packedPackages").flatMap(({ manifest }) => moduleSpecifiers(manifest));

test.each(specifiers)("%s is dropped where nothing of it is used", async (specifier) => {
  const { code, imports } = await bundle(`import "${specifier}";`, outside);
  expect({ code, imports }).toEqual({ code: "", imports: [] });
});
