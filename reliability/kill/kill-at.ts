// Loaded into a program with --import: ends it with kill -9 at one of its writing calls.
import { closeSync, openSync, writeFileSync } from "node:fs";
import { isMainThread, threadId } from "node:worker_threads";
import { interceptWrites, type WritingCall } from "../writes/intercept.ts";

/** What `KILL_PLAN` holds, as JSON. */
export interface KillPlan {
  /** Only calls on files below it count. */
  readonly folder: string;
  /** The call, counted from 0 in the process and thread that are meant; -1: none. */
  readonly at: number;
  /** Before or after the call, or after half of what it writes. */
  readonly when: "before" | "after" | "halfway";
  /** The command itself, its threads, or the processes that it starts. */
  readonly where: "main" | "thread" | "worker";
  /** A file that is made when the kill strikes: it strikes once. */
  readonly mark: string;
  /** A file that gets the number of calls, if the process ends by itself. */
  readonly count?: string;
}

const plan = JSON.parse(process.env["KILL_PLAN"] ?? "null") as KillPlan | null;
const isWorkerProcess = process.send !== undefined;
const here = isWorkerProcess ? "worker" : isMainThread ? "main" : "thread";
if (plan !== null && here === plan.where && (isMainThread || threadId > 0)) await arm(plan);

async function arm({ folder, at, when, mark, count }: KillPlan): Promise<void> {
  let calls = 0;
  const writeCount = writeFileSync;
  await interceptWrites(folder, (call) => {
    if (calls++ !== at || !isFirst(mark)) return call.perform();
    if (when === "before") die();
    const result = call.perform(when === "halfway" ? halfOf(call) : undefined);
    if (result instanceof Promise) return result.then(die);
    return die();
  });
  if (count !== undefined) process.on("exit", () => writeCount(count, `${calls}`, { flag: "a" }));
}

function isFirst(mark: string): boolean {
  try {
    closeSync(openSync(mark, "wx"));
    return true;
  } catch {
    return false;
  }
}

function die(): never {
  process.kill(process.pid, "SIGKILL");
  // The signal ends the process before this line.
  throw new Error("killed");
}

/** The arguments of a call that writes half as much, the same for others. */
function halfOf({ name, args }: WritingCall): readonly unknown[] {
  const [first, second, offset, length] = args;
  if (name === "write" && first instanceof Uint8Array && typeof length !== "object") {
    const start = typeof second === "number" ? second : 0;
    const whole = typeof offset === "number" ? offset : first.length - start;
    return [first, start, Math.floor(whole / 2), ...args.slice(3)];
  }
  if (name === "writeSync" && typeof second === "string")
    return [first, second.slice(0, second.length / 2), ...args.slice(2)];
  if (name === "writeSync" && second instanceof Uint8Array) {
    const start = typeof offset === "number" ? offset : 0;
    return [first, second, start, Math.floor((second.length - start) / 2)];
  }
  const isData = typeof second === "string" || second instanceof Uint8Array;
  if (/^(writeFile|appendFile)/.test(name) && isData)
    return [first, second.slice(0, second.length / 2), ...args.slice(2)];
  return args;
}
