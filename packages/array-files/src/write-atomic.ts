import { randomBytes } from "node:crypto";
import { link, lstat, open, rename, unlink, type FileHandle } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ArrayFileError, writeError } from "./error.ts";

/** How a file is written. */
export interface WriteOptions {
  /** Replace an existing file; otherwise it is an error and the file stays as it is. */
  readonly overwrite?: boolean;
}

/** What a file is written from: its whole content, or pieces in order. */
export type FileContent = Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

/** As much of an open file as writing takes: the types of Node are nothing that a browser's project has. */
export interface OpenFile {
  write(
    bytes: Uint8Array,
    offset: number,
    length: number,
    position: number | null,
  ): Promise<{ readonly bytesWritten: number }>;
}

/** File systems without hard links answer `link` with one of these. */
const NO_HARD_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EMLINK"]);

/**
 * Writes a file so that under `path` there is either what was before or the whole new content, whatever
 * happens meanwhile (crash, kill, full disk): temporary name in the same folder, fsync, rename (or link,
 * which never replaces a file, unless `overwrite`), fsync of the folder. A failure removes the temporary
 * file; only a kill can leave one, named `.NAME.*.tmp`.
 *
 * @throws ArrayFileError if the file exists and `overwrite` is not set (exit code 2), the folder is
 *   missing (2) or not writable (1), or the disk is full (1).
 */
export async function writeFileAtomic(
  path: string,
  content: FileContent,
  options: WriteOptions = {},
): Promise<void> {
  await writeAtomic(path, options, async (file) => {
    for await (const piece of pieces(content)) await writeWhole(file, piece);
  });
}

/**
 * The same for a file that `fill` writes through an open handle; whatever it throws, nothing is left.
 * @throws ArrayFileError as `writeFileAtomic` does
 */
export async function writeAtomic(
  path: string,
  options: WriteOptions,
  fill: (file: OpenFile) => Promise<void>,
): Promise<void> {
  const overwrite = options.overwrite ?? false;
  try {
    if (!overwrite) await refuseExisting(path);
    const temporary = temporaryName(path);
    const file = await open(temporary, "wx");
    try {
      await fillAndClose(file, fill);
      await publish(temporary, path, overwrite);
    } catch (error) {
      await unlink(temporary).catch(() => undefined);
      throw error;
    }
    await syncFolder(dirname(path));
  } catch (error) {
    throw writeError(path, error);
  }
}

function temporaryName(path: string): string {
  const unique = `${process.pid}.${randomBytes(6).toString("hex")}`;
  // Names may be 255 bytes long; a long one is cut so that the temporary name also fits.
  return join(dirname(path), `.${basename(path).slice(0, 50)}.${unique}.tmp`);
}

async function fillAndClose(
  file: FileHandle,
  fill: (file: OpenFile) => Promise<void>,
): Promise<void> {
  try {
    await fill(file);
    await file.sync();
  } finally {
    await file.close();
  }
}

function pieces(content: FileContent): Iterable<Uint8Array> | AsyncIterable<Uint8Array> {
  if (typeof content === "string") return [new TextEncoder().encode(content)];
  return content instanceof Uint8Array ? [content] : content;
}

/**
 * Writes all of a piece, at `position` or where the last write ended: one call may take less than it was
 * given (2 GiB at most).
 */
export async function writeWhole(
  file: OpenFile,
  piece: Uint8Array,
  position?: number,
): Promise<void> {
  let written = 0;
  while (written < piece.length) {
    const length = Math.min(piece.length - written, 2 ** 30);
    const at = position === undefined ? null : position + written;
    written += (await file.write(piece, written, length, at)).bytesWritten;
  }
}

async function publish(temporary: string, path: string, overwrite: boolean): Promise<void> {
  if (overwrite) return rename(temporary, path);
  try {
    await link(temporary, path);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? String(error.code) : "";
    if (code === "EEXIST") throw fileExists(path);
    if (!NO_HARD_LINKS.has(code)) throw error;
    await refuseExisting(path);
    return rename(temporary, path);
  }
  await unlink(temporary);
}

async function refuseExisting(path: string): Promise<void> {
  const exists = await lstat(path).then(
    () => true,
    () => false,
  );
  if (exists) throw fileExists(path);
}

const EXISTS = "the file exists already";

/** Whether a write failed because the file was there already and `overwrite` was not set. */
export function isFileExistsError(error: unknown): boolean {
  return error instanceof ArrayFileError && error.problem === EXISTS;
}

function fileExists(path: string): ArrayFileError {
  return new ArrayFileError({
    file: path,
    field: "",
    problem: EXISTS,
    remedy: "choose another name or pass --force to replace it",
    exitCode: 2,
  });
}

/** Makes the new name durable. Windows cannot open folders; there the rename has to do. */
async function syncFolder(folder: string): Promise<void> {
  if (process.platform === "win32") return;
  const handle = await open(folder, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
