import { relative } from "node:path";
import { interceptWrites } from "./intercept.ts";

/** The system's answer that a call is given instead of being made. */
export type FaultCode = "ENOSPC" | "EIO" | "EROFS";

/** One of the calls on files of a folder fails. */
export interface FailingWrite {
  /** The call that failed, once it was reached. */
  readonly struck: string | undefined;
  restore(): void;
}

/** Removing a file needs no room: it goes on on a full disk. */
const ALWAYS_WORKS = "unlink";

/** Lets the `at`-th writing call (from 0) on files below `folder` in this thread fail. */
export async function failWrite(
  folder: string,
  at: number,
  code: FaultCode,
): Promise<FailingWrite> {
  let calls = 0;
  let struck: string | undefined;
  const restore = await interceptWrites(folder, ({ name, path, perform }) => {
    if (name === ALWAYS_WORKS || calls++ !== at) return perform();
    struck = `${name} ${relative(folder, path)}`;
    const error = new Error(`${code}: injected, ${name} '${path}'`);
    throw Object.assign(error, { code, errno: -1, syscall: name, path });
  });
  return {
    get struck() {
      return struck;
    },
    restore,
  };
}
