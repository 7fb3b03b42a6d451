import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import { isFileExistsError, makeFolders, writeFileAtomic } from "@implicit-rank/array-files";
import { errorCode, fileError, MisuseError } from "../errors.ts";
import { withDensity } from "../plots/png-density.ts";
import { svgToPng } from "../plots/svg-to-png.ts";

const DOTS_PER_INCH = 300;
const CSS_PIXELS_PER_INCH = 96;

/**
 * The path of a figure's files without their ending.
 *
 * @param saveTo with any of both endings, or none; empty: `name`, in the current folder.
 * @param where the path was given, for messages.
 * @throws MisuseError for other formats and for folders.
 */
export function figureBase(saveTo: string, name: string, where: string): string {
  if (saveTo === "") return name;
  const other = /\.(pdf|eps|ps|jpe?g|tiff?|webp|gif|pgf)$/i.exec(saveTo)?.[0];
  if (other !== undefined) {
    throw new MisuseError(
      `${where}: figures are written as .svg and .png, not ${other}; choose one of these endings (or none)`,
    );
  }
  const base = saveTo.replace(/\.(svg|png)$/i, "");
  if (base === "" || /[/\\]$/.test(base))
    throw new MisuseError(`${where}: is a folder; add the name of the file (got "${saveTo}")`);
  return base;
}

/** Before any work is done. */
export async function refuseExisting(base: string): Promise<void> {
  for (const path of [`${base}.svg`, `${base}.png`]) {
    const exists = await stat(path).then(
      () => true,
      (error: unknown) => {
        if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return false;
        throw fileError(path, "be written", error);
      },
    );
    if (exists) throw existing(path);
  }
}

function existing(path: string): MisuseError {
  return new MisuseError(
    `${path}: exists already; give --force to replace it, or another --save_plot_to`,
  );
}

/** Writes a figure as SVG and as PNG of 300 dpi beside it, each whole or not at all. Missing folders are made. */
export async function writeFigure(base: string, svg: string, overwrite: boolean): Promise<void> {
  const png = withDensity(svgToPng(svg, DOTS_PER_INCH / CSS_PIXELS_PER_INCH), DOTS_PER_INCH);
  await makeFolders(dirname(base)).catch((error: unknown) => {
    throw fileError(dirname(base), "be made", error);
  });
  for (const [path, content] of [
    [`${base}.svg`, `${svg}\n`],
    [`${base}.png`, png],
  ] as const) {
    await writeFileAtomic(path, content, { overwrite }).catch((error: unknown) => {
      throw isFileExistsError(error) ? existing(path) : error;
    });
  }
}
