// Lets Node load the ES modules inside tfjs-core's and tfjs-backend-cpu's dist/, tests included: they import one
// another without file extensions, from packages that do not say that they are ES modules.
import { createRequire, registerHooks } from "node:module";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

const require = createRequire(import.meta.url);
const core = new URL("./", `file://${require.resolve("@tensorflow/tfjs-core/dist/index.js")}`);
const cpu = new URL(
  "./",
  `file://${require.resolve("@tensorflow/tfjs-backend-cpu/dist/index.js")}`,
);

const entries = new Map([
  ["@tensorflow/tfjs-core", new URL("index.js", core).href],
  ["@tensorflow/tfjs-backend-cpu", new URL("index.js", cpu).href],
  [
    "@tensorflow/tfjs-core/dist/ops/ops_for_converter",
    new URL("ops/ops_for_converter.js", core).href,
  ],
]);

// tfjs imports the members of this CommonJS package by name, which Node does not find.
globalThis.seedrandom = createRequire(core)("seedrandom");
entries.set(
  "seedrandom",
  "data:text/javascript,export default globalThis.seedrandom; export const { alea } = globalThis.seedrandom;",
);

const isSource = (url) => url.startsWith(core.href) || url.startsWith(cpu.href);

/** The file that an import without extension means: a module, or the index of a folder. */
function completed(specifier, parent) {
  const base = new URL(specifier, parent).href;
  return [base, `${base}.js`, `${base}/index.js`].find(
    (url) => url.endsWith(".js") && existsSync(fileURLToPath(url)),
  );
}

registerHooks({
  resolve(specifier, context, next) {
    const entry = entries.get(specifier);
    if (entry !== undefined) return { url: entry, format: "module", shortCircuit: true };
    if (specifier.startsWith(".") && isSource(context.parentURL ?? "")) {
      const url = completed(specifier, context.parentURL);
      if (url !== undefined) return { url, format: "module", shortCircuit: true };
    }
    const resolved = next(specifier, context);
    return isSource(resolved.url) ? { ...resolved, format: "module" } : resolved;
  },
  load(url, context, next) {
    return next(url, isSource(url) ? { ...context, format: "module" } : context);
  },
});

// jasmine_util.js looks for jasmine with require().
globalThis.require = require;

export const testList = new URL("tests.js", core);
