import { isAbsolute, join } from "node:path";
import { glob, isDynamicPattern } from "tinyglobby";
import { MisuseError } from "../errors.ts";

/**
 * The files and folders that a pattern such as `outputs/mf_*` matches, in order of name.
 *
 * @param parent of a relative pattern; by default the current folder.
 * @throws MisuseError if it is no pattern or matches nothing.
 */
export async function expandPattern(path: string, parent = "."): Promise<readonly string[]> {
  const shown = isAbsolute(path) ? path : join(parent, path);
  if (!isDynamicPattern(path))
    throw new MisuseError(`${shown}: there is no such run folder or file; give one that exists`);
  const matches = await glob(path, {
    onlyFiles: false,
    expandDirectories: false,
    absolute: isAbsolute(path),
    cwd: parent,
  });
  if (matches.length === 0)
    throw new MisuseError(`${shown}: matches nothing; give a pattern of run folders`);
  const paths = matches.map((match) => match.replace(/\/$/, "")).sort();
  return isAbsolute(path) ? paths : paths.map((match) => join(parent, match));
}
