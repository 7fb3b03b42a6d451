import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { link, readFile, rename, stat, unlink, utimes, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { z } from "zod";
import { errorCode, fileError, RunError } from "../errors.ts";
import { runPaths } from "./files.ts";

/** The right to write a run folder; at most one process has it. */
export interface RunLock {
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
 * Takes the lock of a run folder, also one that a killed process has left behind.
 *
 * @throws RunError if another live process holds it.
 */
export async function lockRun(folder: string): Promise<RunLock> {
  const path = runPaths(folder).lock;
  const holder: LockHolder = {
    token: randomUUID(),
    pid: process.pid,
    host: hostname(),
    processStart: processStart(process.pid) ?? "",
  };
  for (let attempt = 0; attempt < 5; attempt++) {
    if (await createLock(path, holder)) return keepLock(path, holder);
    const other = await readHolder(path);
    if (other === "none") continue;
    if (await isAlive(path, other)) throw heldBy(folder, other);
    await removeStale(path, other);
  }
  throw new RunError(`${path}: cannot be taken: other processes keep taking it; try again`);
}

/** Whether a live process is writing the run. */
export async function isRunning(folder: string): Promise<boolean> {
  const path = runPaths(folder).lock;
  const holder = await readHolder(path);
  return holder !== "none" && (await isAlive(path, holder));
}

async function createLock(path: string, holder: LockHolder): Promise<boolean> {
  // Written under another name first, so that a lock is never seen half-written.
  const draft = `${path}.${holder.token}`;
  try {
    await writeFile(draft, `${JSON.stringify(holder)}\n`, { flag: "wx" });
    await link(draft, path);
    return true;
  } catch (error) {
    if (errorCode(error) === "EEXIST") return false;
    if (!NO_HARD_LINKS.has(errorCode(error) ?? "")) throw fileError(path, "be written", error);
    return createWithoutLink(path, holder);
  } finally {
    await unlink(draft).catch(() => undefined);
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

function keepLock(path: string, holder: LockHolder): RunLock {
  const heartbeat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => undefined);
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

/** "none": there is no lock; undefined: its content is unreadable. */
async function readHolder(path: string): Promise<LockHolder | undefined | "none"> {
  try {
    return holderSchema.safeParse(JSON.parse(await readFile(path, "utf8"))).data;
  } catch (error) {
    return errorCode(error) === "ENOENT" ? "none" : undefined;
  }
}

async function isAlive(path: string, holder: LockHolder | undefined): Promise<boolean> {
  if (holder?.host === hostname()) return isProcessAlive(holder);
  const touched = await stat(path).catch(() => undefined);
  return touched !== undefined && Date.now() - touched.mtimeMs < REMOTE_STALE_MS;
}

function isProcessAlive({ pid, processStart: start }: LockHolder): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return errorCode(error) === "EPERM";
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

/** Renames the lock away; if that caught a lock which somebody took meanwhile, gives it back. */
async function removeStale(path: string, stale: LockHolder | undefined): Promise<void> {
  const aside = `${path}.${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw fileError(path, "be removed", error);
  }
  const caught = await readHolder(aside);
  if (caught !== "none" && caught?.token !== stale?.token)
    await link(aside, path).catch(() => undefined);
  await unlink(aside).catch(() => undefined);
}

function heldBy(folder: string, holder: LockHolder | undefined): RunError {
  const who = holder === undefined ? "another process" : `process ${holder.pid} on ${holder.host}`;
  return new RunError(
    `${folder}: this run is being written by ${who}; wait for it or stop it first`,
  );
}
