import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";

/**
 * A worker thread that runs the module beside the caller (`import.meta.url`): `.js` in the package, `.ts`
 * where the sources run as they are. Node's own flags are not passed on: some forbid modules from files.
 */
export function startWorker(caller: string, name: string): Worker {
  const extension = fileURLToPath(caller).endsWith(".ts") ? ".ts" : ".js";
  return new Worker(new URL(`./${name}${extension}`, caller), { execArgv: [] });
}
