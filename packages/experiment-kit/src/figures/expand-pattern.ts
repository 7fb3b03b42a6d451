import { isAbsolute } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import { MisuseError } from "../errors.ts";

/**
 * The files and folders that a pattern such as `outputs/mf_*` matches, in order of name.
 *
 * @throws MisuseError if it is no pattern or matches nothing.
 */
export async function expandPattern(path: string): Promise<readonly string[]> {
  if (!isDynamicPattern(path))
    throw new MisuseError(`${path}: there is no such run folder or file; give one that exists`);
  const matches = await glob(path, {
    onlyFiles: false,
    expandDirectories: false,
    absolute: isAbsolute(path),
  });
  if (matches.length === 0)
    throw new MisuseError(`${path}: matches nothing; give a pattern of run folders`);
  return matches.map((match) => match.replace(/\/$/, "")).sort();
}
