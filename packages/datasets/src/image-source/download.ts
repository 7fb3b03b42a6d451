import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { makeFolders } from "@implicit-rank/array-files";
import { fetch, type Response } from "undici";
import { DatasetError } from "../error.ts";
import { CIFAR10, CIFAR10_ARCHIVE, CIFAR10_URL } from "./cifar10.ts";
import type { ImageSourceName } from "./labelled-images.ts";
import { MNIST_FILES, MNIST_URL } from "./mnist.ts";
import { connectionFor } from "./proxy.ts";
import { sizeOf } from "./source-file.ts";

/** A file of a public data set: where it is, what it is called here, and what it must be. */
export interface Download {
  readonly url: string;
  readonly file: string;
  /** The published checksum, verified before the file gets its name. */
  readonly md5: string;
}

/** What one may want from a download while it runs. */
export interface DownloadHooks {
  /** Bytes that are there; `total` is undefined if the server does not tell. */
  readonly onProgress?: (file: string, done: number, total: number | undefined) => void;
  readonly signal?: AbortSignal;
}

/** No file that is offered here is larger. */
const MAX_BYTES = 2 ** 30;

/**
 * Downloads what is missing of a source into `folder`; "folder" has nothing to download.
 * @throws DatasetError
 */
export async function downloadSource(
  source: ImageSourceName,
  folder: string,
  hooks: DownloadHooks = {},
): Promise<void> {
  for (const download of downloadsOf(source, folder)) {
    if ((await sizeOf(download.file)) === undefined) await downloadFile(download, hooks);
  }
}

function downloadsOf(source: ImageSourceName, folder: string): readonly Download[] {
  if (source === "cifar10") {
    const file = join(folder, CIFAR10_ARCHIVE);
    return [{ url: CIFAR10_URL, file, md5: CIFAR10.archiveMd5! }];
  }
  if (source === "folder") return [];
  return Object.entries(MNIST_FILES).map(([name, md5]) => ({
    url: `${MNIST_URL}${name}`,
    file: join(folder, name),
    md5,
  }));
}

/**
 * Downloads one file. What came before an interruption stays in `FILE.part` and is continued. The proxy
 * is taken from HTTP_PROXY, HTTPS_PROXY and NO_PROXY.
 * @throws DatasetError (exit code 1): no connection, an error of the server, a wrong checksum
 */
export async function downloadFile(download: Download, hooks: DownloadHooks = {}): Promise<void> {
  const { file, url } = download;
  const part = `${file}.part`;
  try {
    await makeFolders(dirname(file));
    await fetchInto(part, download, hooks);
  } catch (error) {
    hooks.signal?.throwIfAborted();
    if (error instanceof DatasetError) throw error;
    throw new DatasetError(
      `${url}: cannot download (${reasonOf(error)}); check connection and proxy and run the same command again, it goes on where it stopped`,
      1,
      { cause: error },
    );
  }
  const md5 = await md5Of(part);
  if (md5 !== download.md5) {
    await rm(part, { force: true });
    throw new DatasetError(
      `${url}: the downloaded file has the MD5 checksum ${md5} instead of ${download.md5}; it was deleted, try again or get the file elsewhere`,
      1,
    );
  }
  await rename(part, file);
}

async function fetchInto(
  part: string,
  { file, url }: Download,
  hooks: DownloadHooks,
): Promise<void> {
  const before = (await sizeOf(part)) ?? 0;
  const dispatcher = connectionFor(url);
  try {
    const response = await fetch(url, {
      dispatcher,
      headers: before > 0 ? { range: `bytes=${before}-` } : {},
      ...(hooks.signal === undefined ? {} : { signal: hooks.signal }),
    });
    if (response.status === 416) {
      await response.body?.cancel();
      return; // nothing is missing: the checksum decides
    }
    if (!response.ok || response.body === null) {
      await response.body?.cancel();
      throw new Error(`the server answers ${response.status} ${response.statusText}`.trim());
    }
    const start = continuesAt(response, before) ? before : 0;
    await append(part, start, response, (done, total) => hooks.onProgress?.(file, done, total));
  } finally {
    await dispatcher.close();
  }
}

/** Whether a response is the rest from this byte on; servers may send the whole file instead. */
function continuesAt(response: Response, start: number): boolean {
  const range = response.headers.get("content-range") ?? "";
  return response.status === 206 && range.startsWith(`bytes ${start}-`);
}

async function append(
  part: string,
  start: number,
  response: Response,
  onProgress: (done: number, total: number | undefined) => void,
): Promise<void> {
  const announced = Number(response.headers.get("content-length") ?? NaN);
  const total = Number.isFinite(announced) ? start + announced : undefined;
  const handle = await open(part, start === 0 ? "w" : "r+");
  try {
    let done = start;
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      if (done + chunk.length > MAX_BYTES) throw new Error("the file is larger than 1 GiB");
      await handle.write(chunk, 0, chunk.length, done);
      done += chunk.length;
      onProgress(done, total);
    }
    if (total !== undefined && done < total)
      throw new Error(`the connection ended at ${done} of ${total} bytes`);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

async function md5Of(file: string): Promise<string> {
  const hash = createHash("md5");
  for await (const chunk of createReadStream(file)) hash.update(chunk as Uint8Array);
  return hash.digest("hex");
}

/** undici hides the reason of "fetch failed" in the cause. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const text = cause instanceof Error ? cause.message || cause.name : String(cause);
  return text.split("\n", 1)[0]!;
}
