import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { BackendError } from "./started-backend.ts";

/** Where optional packages are looked for: beside this program, then in the project that it is called in. */
const places = [import.meta.url, pathToFileURL(`${process.cwd()}/package.json`).href];

/**
 * Imports a package that is not installed with this program.
 *
 * @param flag the value of --backend that needs it
 * @param packages all that it needs, for the message
 * @throws BackendError: exit code 2 if the package is missing, 1 if it cannot be loaded
 */
export async function loadPackage<Module>(
  name: string,
  flag: string,
  packages: readonly string[],
): Promise<Module> {
  const url = findPackage(name);
  if (url === undefined) {
    throw new BackendError(
      `--backend: ${flag} needs a package that is not installed; npm install ${packages.join(" ")}`,
      2,
    );
  }
  try {
    return (await import(url)) as Module;
  } catch (error) {
    throw cannotStart(flag, error);
  }
}

function findPackage(name: string): string | undefined {
  for (const place of places) {
    try {
      return pathToFileURL(createRequire(place).resolve(name)).href;
    } catch {
      // not here; perhaps in the next place
    }
  }
  return undefined;
}

/** The one-line error for a backend that is there but does not start. */
export function cannotStart(
  flag: string,
  cause: unknown,
  remedy = "use --backend simd",
): BackendError {
  const text = cause instanceof Error ? cause.message : String(cause);
  const reason = text.split("\n", 1)[0]!.trim().replace(/\.$/, "");
  return new BackendError(`--backend: ${flag} does not start: ${reason}; ${remedy}`, 1, { cause });
}
