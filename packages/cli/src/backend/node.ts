import { createRequire } from "node:module";
import type * as Util from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { loadPackage } from "./load-package.ts";
import { onOneThread } from "./one-thread.ts";
import { selectBackend } from "./select-backend.ts";
import type { BackendRequest, StartedBackend } from "./started-backend.ts";

/** TensorFlow's own library, on the CPU or on an NVIDIA GPU. */
export async function startNode(
  name: "node" | "node-gpu",
  request: BackendRequest,
): Promise<StartedBackend> {
  const packageName = `@tensorflow/tfjs-${name}`;
  restoreUtil();
  // tfjs prints an advertisement for itself where it finds no native backend.
  tf.env().set("IS_NODE", true);
  await loadPackage(packageName, name, [packageName]);
  await selectBackend(
    "tensorflow",
    name,
    `see the installation of ${packageName}, or use --backend simd`,
  );
  return onOneThread(name, request);
}

/** What tfjs-node takes from node:util and Node.js 23 and later no longer have. */
function restoreUtil(): void {
  const util = createRequire(import.meta.url)("node:util") as typeof Util & Record<string, unknown>;
  util["isNullOrUndefined"] ??= (value: unknown) => value === null || value === undefined;
  util["isArray"] ??= Array.isArray;
}
