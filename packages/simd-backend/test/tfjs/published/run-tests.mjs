// Runs the tests that tfjs-core publishes on one backend and prints their results as one line of JSON:
//   node run-tests.mjs BACKEND [FILE…]      FILE like ops/add_test; all of them unless given
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { testList } from "./tfjs-sources.mjs";

const [backendName, ...wanted] = process.argv.slice(2);
const jasmine = createRequire(import.meta.url)("jasmine-core").boot();

await import("@tensorflow/tfjs-core");
await import("@tensorflow/tfjs-backend-cpu");
await import(new URL("public/chained_ops/register_all_chained_ops.js", testList).href);
await import(new URL("register_all_gradients.js", testList).href);
const { setTestEnvs } = await import(new URL("jasmine_util.js", testList).href);

if (backendName === "simd") {
  const { registerSimdBackend } = await import("../../../src/tfjs/index.ts");
  const backend = await registerSimdBackend({ threads: 2, bytes: 256 * 2 ** 20 });
  // Every suite resets the engine, which disposes of its backends, and selects the backend again.
  backend.dispose = () => {};
}
setTestEnvs([{ name: "test", backendName, isDataSync: true }]);

const files = [...readFileSync(testList, "utf8").matchAll(/^import '\.\/(.*)';$/gm)].map(
  ([, file]) => file,
);
for (const file of files) {
  if (wanted.length === 0 || wanted.includes(file))
    await import(new URL(`${file}.js`, testList).href);
}

const results = { passed: [], failed: [], pending: 0 };
jasmine.getEnv().configure({ random: false, hideDisabled: true });
jasmine.getEnv().addReporter({
  specDone({ fullName, status, failedExpectations }) {
    if (status === "passed") results.passed.push(fullName);
    else if (status === "failed") {
      results.failed.push({ name: fullName, message: failedExpectations[0]?.message ?? "" });
    } else results.pending++;
  },
});
for (const method of ["log", "warn", "error", "info"]) console[method] = () => {};
await jasmine.getEnv().execute();
// What a test has left running does not keep the process.
process.stdout.write(`${JSON.stringify(results)}\n`, () => process.exit(0));
