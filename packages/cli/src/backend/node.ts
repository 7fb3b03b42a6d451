import { createRequire } from "node:module";
import type * as Util from "node:util";
import { loadPackage } from "./load-package.ts";
import { teachPadding } from "./node-padding.ts";
import { selectBackend } from "./select-backend.ts";
import type { BackendRequest, StartedBackend } from "./started-backend.ts";

let knowsPadding = false;

/** TensorFlow's own library, on the CPU or on an NVIDIA GPU. */
export async function startNode(
  name: "node" | "node-gpu",
  request: BackendRequest,
): Promise<StartedBackend> {
  const packageName = `@tensorflow/tfjs-${name}`;
  restoreUtil();
  setUpLibrary(request.threads);
  await loadPackage(packageName, name, [packageName]);
  await selectBackend(
    "tensorflow",
    name,
    `see the installation of ${packageName}, or use --backend simd`,
  );
  if (!knowsPadding) teachPadding();
  knowsPadding = true;
  return { name, threads: request.threads };
}

/** TensorFlow reads its settings from the environment when it is loaded: once in a process. */
function setUpLibrary(threads: number): void {
  process.env["TF_NUM_INTRAOP_THREADS"] = String(threads);
  process.env["TF_NUM_INTEROP_THREADS"] = "1";
  // Warnings and errors only.
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "1";
}

/** What tfjs-node takes from node:util and Node.js 23 and later no longer have. */
function restoreUtil(): void {
  const util = createRequire(import.meta.url)("node:util") as typeof Util & Record<string, unknown>;
  util["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  // Still there, but it warns.
  util["isArray"] = Array.isArray;
}
