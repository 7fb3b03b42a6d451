import { createRequire, syncBuiltinESMExports } from "node:module";
import type { FileHandle } from "node:fs/promises";
import { resolve, sep } from "node:path";

/** The system's answer that a call is given instead of being made. */
export type FaultCode = "ENOSPC" | "EIO" | "EROFS" | "EDQUOT";

/** Calls on files of one folder are counted, and one of them fails. */
export interface Injection {
  /** The call that failed, once it was reached. */
  readonly struck: string | undefined;
  readonly calls: number;
  restore(): void;
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Table = Record<string, AnyFunction>;

const require = createRequire(import.meta.url);
const sync = require("node:fs") as Table;
const promises = require("node:fs/promises") as Table;

const WRITING_SYNC = ["writeSync", "fsyncSync", "writeFileSync", "renameSync", "mkdirSync"];
const WRITING = ["writeFile", "rename", "link", "mkdir", "copyFile", "truncate", "appendFile"];
const WRITING_HANDLE = ["write", "writev", "writeFile", "sync", "datasync", "truncate"];

/**
 * Lets the `at`-th writing call (from 0) on files below `folder` in this thread fail: open for writing,
 * write, fsync, rename, link, mkdir, truncate, by whichever of Node's functions.
 */
export async function injectFault(folder: string, at: number, code: FaultCode): Promise<Injection> {
  const root = resolve(folder) + sep;
  const pathOf = new Map<unknown, string>();
  const originals: (() => void)[] = [];
  let calls = 0;
  let struck: string | undefined;

  const isInside = (path: unknown): path is string =>
    typeof path === "string" && (resolve(path) + sep).startsWith(root);
  /** The error to throw, if it is this call's turn. */
  const turn = (name: string, path: string): Error | undefined => {
    if (calls++ !== at) return undefined;
    struck = `${name} ${path.slice(root.length)}`;
    const error = new Error(`${code}: injected, ${name} '${path}'`);
    return Object.assign(error, { code, errno: -1, syscall: name, path });
  };
  const patch = (
    table: Table,
    name: string,
    make: (original: AnyFunction) => AnyFunction,
  ): void => {
    const original = table[name]!;
    table[name] = make(original);
    originals.push(() => (table[name] = original));
  };
  const failing =
    (name: string, placeOf: (self: unknown, first: unknown) => unknown, isAsync: boolean) =>
    (original: AnyFunction): AnyFunction =>
      function (this: unknown, ...args) {
        const path = placeOf(this, args[0]);
        const error = isInside(path) ? turn(name, path) : undefined;
        if (error === undefined) return original.apply(this, args);
        if (isAsync) return Promise.reject(error);
        throw error;
      };
  const isForWriting = (flags: unknown): boolean => typeof flags === "string" && flags !== "r";

  const handle = (await (promises["open"]!(
    import.meta.filename,
    "r",
  ) as Promise<FileHandle>)) as FileHandle;
  const handles = Object.getPrototypeOf(handle) as Table;
  await handle.close();
  for (const name of WRITING)
    patch(
      promises,
      name,
      failing(name, (_, path) => path, true),
    );
  for (const name of WRITING_HANDLE)
    patch(
      handles,
      name,
      failing(`FileHandle.${name}`, (self) => pathOf.get(self), true),
    );
  for (const name of WRITING_SYNC)
    patch(
      sync,
      name,
      failing(name, (_, file) => pathOf.get(file) ?? file, false),
    );
  patch(
    promises,
    "open",
    (original) =>
      async function (this: unknown, ...args) {
        const [path, flags] = args;
        const error = isInside(path) && isForWriting(flags) ? turn("open", path) : undefined;
        if (error !== undefined) throw error;
        const opened = await original.apply(this, args);
        if (typeof path === "string") pathOf.set(opened, path);
        return opened;
      },
  );
  patch(
    sync,
    "openSync",
    (original) =>
      function (this: unknown, ...args) {
        const [path, flags] = args;
        const error = isInside(path) && isForWriting(flags) ? turn("openSync", path) : undefined;
        if (error !== undefined) throw error;
        const opened = original.apply(this, args);
        if (typeof path === "string") pathOf.set(opened, path);
        return opened;
      },
  );
  syncBuiltinESMExports();
  return {
    get struck() {
      return struck;
    },
    get calls() {
      return calls;
    },
    restore() {
      for (const undo of originals) undo();
      syncBuiltinESMExports();
    },
  };
}
