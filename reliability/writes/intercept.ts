import { createRequire, syncBuiltinESMExports } from "node:module";
import type { FileHandle } from "node:fs/promises";
import { resolve, sep } from "node:path";

/** A call of Node's that changes a file, about to be made. */
export interface WritingCall {
  readonly name: string;
  /** Of the file, or of the file before it is renamed. */
  readonly path: string;
  readonly args: readonly unknown[];
  /** Makes the call, with its own arguments or others. */
  perform(args?: readonly unknown[]): unknown;
}

type AnyFunction = (this: unknown, ...args: unknown[]) => unknown;
type Table = Record<string, AnyFunction>;

const require = createRequire(import.meta.url);
const sync = require("node:fs") as Table;
const promises = require("node:fs/promises") as Table;

const OF_PATHS = [
  "writeFile",
  "rename",
  "link",
  "mkdir",
  "copyFile",
  "truncate",
  "appendFile",
  "unlink",
];
const OF_HANDLES = ["write", "writev", "writeFile", "sync", "datasync", "truncate"];
const OF_SYNC = [
  "writeSync",
  "fsyncSync",
  "writeFileSync",
  "renameSync",
  "mkdirSync",
  "ftruncateSync",
];

/**
 * Puts `handle` in the place of every writing call on files below `folder` that this thread makes through
 * Node: open for writing, write, fsync, rename, link, mkdir, truncate, unlink.
 *
 * @returns what undoes it.
 */
export async function interceptWrites(
  folder: string,
  handle: (call: WritingCall) => unknown,
): Promise<() => void> {
  const root = resolve(folder) + sep;
  const pathOf = new Map<unknown, string>();
  const undo: (() => void)[] = [];
  const isInside = (path: unknown): path is string =>
    typeof path === "string" && (resolve(path) + sep).startsWith(root);

  const replace = (
    table: Table,
    name: string,
    kind: "sync" | "promise",
    placeOf: (self: unknown, args: readonly unknown[]) => unknown,
    opened?: (result: unknown, args: readonly unknown[]) => void,
  ): void => {
    const original = table[name]!;
    table[name] = function (this: unknown, ...args) {
      const path = placeOf(this, args);
      const perform = (others: readonly unknown[] = args): unknown =>
        original.apply(this, [...others]);
      const make = (): unknown =>
        isInside(path) ? handle({ name, path, args, perform }) : perform();
      if (kind === "sync") {
        const result = make();
        opened?.(result, args);
        return result;
      }
      return Promise.resolve()
        .then(make)
        .then((result) => {
          opened?.(result, args);
          return result;
        });
    };
    undo.push(() => (table[name] = original));
  };
  const firstArgument = (_: unknown, [path]: readonly unknown[]): unknown => path;
  const writtenFile = (_: unknown, [file]: readonly unknown[]): unknown => pathOf.get(file) ?? file;
  const openedForWriting = (_: unknown, [path, flags]: readonly unknown[]): unknown =>
    typeof flags === "string" && flags !== "r" ? path : undefined;
  const remember = (opened: unknown, [path]: readonly unknown[]): void => {
    if (typeof path === "string") pathOf.set(opened, path);
  };

  const probe = (await promises["open"]!(import.meta.filename, "r")) as FileHandle;
  const handles = Object.getPrototypeOf(probe) as Table;
  await probe.close();
  for (const name of OF_PATHS) replace(promises, name, "promise", firstArgument);
  for (const name of OF_HANDLES) replace(handles, name, "promise", (self) => pathOf.get(self));
  for (const name of OF_SYNC) replace(sync, name, "sync", writtenFile);
  replace(promises, "open", "promise", openedForWriting, remember);
  replace(sync, "openSync", "sync", openedForWriting, remember);
  syncBuiltinESMExports();
  return () => {
    for (const one of undo) one();
    syncBuiltinESMExports();
  };
}
