import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, open, readdir, readFile, rename, stat, unlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { basename, join } from "node:path";
import { isChecksumIntact, withChecksum } from "@implicit-rank/array-files";
import { z } from "zod";
import { errorCode, fileError, RunError } from "../errors.ts";
import { runPaths } from "./files.ts";

/** The right to write a run folder; at most one process has it. */
export interface RunLock {
  /** Gives the folder free; a lock that another process has put in its place stays. */
  release(): Promise<void>;
}

/** Who holds a lock. `processStart` tells a process from a later one with the same number. */
const holderSchema = z.object({
  token: z.string(),
  pid: z.number().int(),
  host: z.string(),
  processStart: z.string(),
});
type LockHolder = z.infer<typeof holderSchema>;

const HEARTBEAT_MS = 20_000;
/** On another machine a process cannot be asked for: its lock counts as left behind after this time. */
const REMOTE_STALE_MS = 5 * 60_000;

/**
 * Takes the lock of a run folder (or of the folder of a sweep), also one that a killed process has left
 * behind: of many that want it at once, one gets it.
 *
 * @throws RunError if another live process holds it.
 */
export async function lockRun(folder: string, what: "run" | "sweep" = "run"): Promise<RunLock> {
  const path = runPaths(folder).lock;
  const holder: LockHolder = withChecksum({
    token: randomBytes(8).toString("hex"),
    pid: process.pid,
    host: hostname(),
    processStart: processStart(process.pid) ?? "",
  });
  try {
    await take(path, holder);
  } catch (error) {
    throw error instanceof Held ? heldBy(folder, what, error.holder) : error;
  }
  return keepLock(path, holder);
}

/** Whether a live process is writing the run. */
export async function isRunning(folder: string): Promise<boolean> {
  const path = runPaths(folder).lock;
  const holder = await readHolder(path);
  return holder !== "none" && (await isAlive(path, holder, Date.now()));
}

/** What `take` throws if a live process has the lock; `undefined`: of which nothing can be read. */
class Held extends Error {
  readonly holder: LockHolder | undefined;
  constructor(holder: LockHolder | undefined) {
    super("the lock is held");
    this.holder = holder;
  }
}

async function take(path: string, holder: LockHolder): Promise<void> {
  // Written under another name first, so that a lock is never seen half-written.
  const draft = `${path}.${holder.token}`;
  try {
    // Ages are told by the clock of the file system, which all machines share, not by that of this one.
    const now = await writeDraft(draft, path, holder);
    for (let attempt = 0; attempt < 5; attempt++) {
      if (await createLock(draft, path, holder)) return;
      const other = await readHolder(path);
      if (other === "none") continue;
      if (await isAlive(path, other, now)) throw new Held(other);
      if (await takeOver(draft, path, other, holder)) return;
    }
  } finally {
    await unlink(draft).catch(() => undefined);
  }
  throw new RunError(`${path}: cannot be taken: other processes keep taking it; try again`);
}

async function writeDraft(draft: string, path: string, holder: LockHolder): Promise<number> {
  try {
    await writeFile(draft, `${JSON.stringify(holder)}\n`, { flag: "wx" });
    return (await stat(draft)).mtimeMs;
  } catch (error) {
    throw fileError(path, "be written", error);
  }
}

async function createLock(draft: string, path: string, holder: LockHolder): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    if (!NO_HARD_LINKS.has(errorCode(error) ?? "")) throw fileError(path, "be written", error);
    return createWithoutLink(path, holder);
  }
}

/** Some network file systems have no hard links. */
const NO_HARD_LINKS = new Set(["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EINVAL", "EMLINK"]);

async function createWithoutLink(path: string, holder: LockHolder): Promise<boolean> {
  try {
    await writeFile(path, `${JSON.stringify(holder)}\n`, { flag: "wx" });
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    throw fileError(path, "be written", error);
  }
}

/**
 * Replaces a lock that was left behind. The right to do so is a lock itself, named by the one that is
 * replaced: whoever holds it is alone in replacing that one, and if it dies meanwhile, its right is taken
 * over in the same way.
 *
 * @returns false if the lock is not the one any more that was left behind.
 */
async function takeOver(
  draft: string,
  path: string,
  stale: LockHolder | undefined,
  holder: LockHolder,
): Promise<boolean> {
  const right = `${path}.after.${stale?.token ?? "unreadable"}`;
  await take(right, holder);
  try {
    const current = await readHolder(path);
    if (current === "none" || current?.token !== stale?.token) return false;
    await rename(draft, path);
    return true;
  } catch (error) {
    throw fileError(path, "be replaced", error);
  } finally {
    await unlink(right).catch(() => undefined);
  }
}

function keepLock(path: string, holder: LockHolder): RunLock {
  const heartbeat = setInterval(() => {
    touch(path).catch(() => undefined);
  }, HEARTBEAT_MS);
  heartbeat.unref();
  return {
    async release() {
      clearInterval(heartbeat);
      const current = await readHolder(path);
      if (current !== "none" && current?.token === holder.token)
        await unlink(path).catch(() => undefined);
    },
  };
}

/** Writes its first character again, so that the file system dates it by its own clock. */
async function touch(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.write("{", 0);
  } finally {
    await file.close();
  }
}

/** "none": there is no lock; undefined: its content is unreadable. */
async function readHolder(path: string): Promise<LockHolder | undefined | "none"> {
  try {
    const content: unknown = JSON.parse(await readFile(path, "utf8"));
    const holder = holderSchema.safeParse(content).data;
    const isIntact = isChecksumIntact(content as Readonly<Record<string, unknown>>);
    return isIntact ? holder : undefined;
  } catch (error) {
    return errorCode(error) === "ENOENT" ? "none" : undefined;
  }
}

async function isAlive(
  path: string,
  holder: LockHolder | undefined,
  now: number,
): Promise<boolean> {
  if (holder?.host === hostname()) return isProcessAlive(holder);
  const touched = await stat(path).catch(() => undefined);
  if (touched === undefined) return false;
  const age = now - touched.mtimeMs;
  // The clock was set back since: from now on it counts as any other.
  if (age < -REMOTE_STALE_MS) await touch(path).catch(() => undefined);
  return age < REMOTE_STALE_MS;
}

function isProcessAlive({ pid, processStart: start }: LockHolder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    // One of another user is there all the same.
    if (errorCode(error) !== "EPERM") return false;
  }
  const now = processStart(pid);
  return now === undefined || start === "" || now === start;
}

/** When a process started, in clock ticks since a boot that is named too; undefined where /proc lacks. */
function processStart(pid: number): string | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8");
    const afterName = fields.slice(fields.lastIndexOf(")") + 2).split(" ");
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    // A killed process that its parent has not collected ("Z") writes nothing any more.
    return afterName[0] === "Z" ? "dead" : `${boot}/${afterName[19] ?? ""}`;
  } catch {
    return undefined;
  }
}

function heldBy(folder: string, what: "run" | "sweep", holder: LockHolder | undefined): RunError {
  const who = holder === undefined ? "another process" : `process ${holder.pid} on ${holder.host}`;
  return new RunError(
    `${folder}: this ${what} is being ${what === "run" ? "written" : "run"} by ${who}; wait for it or stop it first`,
  );
}

/** Removes the drafts of locks that killed processes have left in a folder. */
export async function removeLockDrafts(folder: string): Promise<void> {
  const path = runPaths(folder).lock;
  for (const name of await readdir(folder)) {
    if (!name.startsWith(`${basename(path)}.`)) continue;
    const draft = join(folder, name);
    const holder = await readHolder(draft);
    if (holder !== "none" && !(await isAlive(draft, holder, Date.now())))
      await unlink(draft).catch(() => undefined);
  }
}
