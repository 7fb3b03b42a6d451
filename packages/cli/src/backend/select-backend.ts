import * as tf from "@tensorflow/tfjs-core";
import { cannotStart } from "./load-package.ts";

/**
 * Makes a registered backend the one that tfjs uses.
 *
 * @param registered its name in tfjs
 * @param flag its name in --backend
 * @throws BackendError (exit code 1) if it is not registered with this copy of tfjs, or does not start
 */
export async function selectBackend(
  registered: string,
  flag: string,
  remedy?: string,
): Promise<void> {
  if (tf.findBackendFactory(registered) === null) {
    throw cannotStart(
      flag,
      "its package uses another copy of @tensorflow/tfjs-core than this program",
      "install both in one project, with the same version of tfjs",
    );
  }
  // tfjs prints the error of a backend that does not start, and returns false.
  const { warn } = console;
  let complaint: unknown = "it gives no reason";
  console.warn = (...values: readonly unknown[]) => {
    complaint = values.find((value) => value instanceof Error) ?? values.at(-1);
  };
  try {
    if (await tf.setBackend(registered)) return;
  } catch (error) {
    complaint = error;
  } finally {
    console.warn = warn;
  }
  throw cannotStart(flag, complaint, remedy);
}
