import { defineConfig } from "vitest/config";
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take seconds when instrumented, each longer than the last. */
const slowFiles = ["linear-algebra.test.ts", "fused-golden.test.ts", "fused-properties.test.ts"];

/** A mutant ends with the first test that fails: those that cost little run first. */
class CheapestFirst extends BaseSequencer {
  override sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const cost = ({ moduleId }: TestSpecification): number =>
      slowFiles.findIndex((name) => moduleId.endsWith(name));
    return Promise.resolve(files.toSorted((a, b) => cost(a) - cost(b)));
  }
}

/** For Stryker (`npm run mutation` at the root): one worker, and a tenth of the drawn cases. */
export default defineConfig({
  test: {
    include: ["test/**/*.test.ts"],
    // Trains for thousands of epochs, which takes minutes when instrumented.
    exclude: ["test/dynamics.test.ts"],
    env: { PROPERTY_RUNS_SHARE: "0.1" },
    isolate: false,
    sequence: { sequencer: CheapestFirst },
    testTimeout: 120_000,
    reporters: [],
  },
});
