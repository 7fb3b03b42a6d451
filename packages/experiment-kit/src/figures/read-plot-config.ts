import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { errorCode, fileError, lineOf, MisuseError } from "../errors.ts";
import { parsePlotConfig } from "./plot-config.ts";
import type { PlotConfig } from "./plot-config.ts";

const SHIPPED_FOLDER = fileURLToPath(new URL("../../plot-configs/", import.meta.url));
const SUFFIX = "_plot_config.json";

/** A configuration of a figure, and where it was found. */
export interface NamedPlotConfig {
  /** The file, for messages. */
  readonly path: string;
  /** The file's name without `_plot_config.json` or its ending. */
  readonly name: string;
  readonly config: PlotConfig;
}

/** The names of the configurations that come with this package. */
export async function shippedPlotConfigs(): Promise<readonly string[]> {
  const files = await readdir(SHIPPED_FOLDER);
  return files
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
}

/**
 * Reads a plot configuration.
 *
 * @param nameOrPath a JSON file, or the name of a configuration that comes with this package
 *   (`mf_tf_htf_dyn`, with or without `_plot_config.json`).
 * @throws MisuseError naming the file, the field, what is wrong and the remedy.
 */
export async function readPlotConfig(nameOrPath: string): Promise<NamedPlotConfig> {
  const shipped = await shippedPlotConfigs();
  const name = nameOfConfig(nameOrPath);
  const isName = basename(nameOrPath) === nameOrPath && shipped.includes(name);
  const text = await readText(
    nameOrPath,
    isName ? join(SHIPPED_FOLDER, name + SUFFIX) : undefined,
    shipped,
  );
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw new MisuseError(`${nameOrPath}: is not valid JSON: ${lineOf(error)}`);
  }
  return { path: nameOrPath, name, config: parsePlotConfig(content, nameOrPath) };
}

function nameOfConfig(path: string): string {
  return basename(path).replace(/(_plot_config)?(\.json)?$/, "");
}

/** A file in the current folder goes before a shipped one of the same name. */
async function readText(
  path: string,
  shippedPath: string | undefined,
  shipped: readonly string[],
): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = errorCode(error);
    const isAbsent = code === "ENOENT" || code === "EISDIR";
    if (isAbsent && shippedPath !== undefined) return readFile(shippedPath, "utf8");
    if (code !== "ENOENT") throw fileError(path, "be read", error);
    throw new MisuseError(
      `--plot_config_path: ${path}: there is no such file; give one, or one of ${shipped.join(", ")}`,
    );
  }
}
