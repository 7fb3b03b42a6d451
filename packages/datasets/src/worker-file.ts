import { fileURLToPath } from "node:url";

/**
 * The module beside the caller (`import.meta.url`) to start a worker with: `.js` in the package, `.ts`
 * where the sources run as they are.
 */
export function workerFile(caller: string, name: string): URL {
  const extension = fileURLToPath(caller).endsWith(".ts") ? ".ts" : ".js";
  return new URL(`./${name}${extension}`, caller);
}
