import { execFileSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A file system in memory of its own. */
export interface SmallDisk {
  readonly folder: string;
  /** Fills it but for so many KiB. */
  fill(freeKiB: number): void;
  /** Removes what filled it. */
  empty(): void;
  makeReadOnly(): void;
  remove(): void;
}

/** Undefined where this process may not mount anything: that takes privileges that not every machine gives. */
export function mountSmallDisk(sizeKiB: number): SmallDisk | undefined {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "reliability-disk-")));
  try {
    const options = ["-t", "tmpfs", "-o", `size=${sizeKiB}k`, "tmpfs", folder];
    execFileSync("mount", options, { stdio: "ignore" });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  const filler = join(folder, ".filler");
  return {
    folder,
    fill(freeKiB) {
      const available = Number(
        execFileSync("df", ["--output=avail", "-k", folder], { encoding: "utf8" }).split("\n")[1],
      );
      writeFileSync(filler, Buffer.alloc(Math.max(0, available - freeKiB) * 1024));
    },
    empty: () => rmSync(filler, { force: true }),
    makeReadOnly: () => execFileSync("mount", ["-o", "remount,ro", folder]),
    remove() {
      execFileSync("umount", ["-l", folder]);
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

export const CANNOT_MOUNT = "needs the right to mount a small file system (root)";
