import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { createRandom, type Random } from "@implicit-rank/random";
import { startCli, type Ended } from "../programs/start-cli.ts";
import { brokenFiles } from "../programs/whole-files.ts";
import type { KillPlan } from "./kill-at.ts";
import type { Killable } from "./killable.ts";

export interface KillTally {
  readonly name: string;
  readonly kills: number;
  /** Of them by the clock, anywhere in the process; the others at a writing call. */
  readonly byClock: number;
  /** How often the work came to its end, with the same result each time. */
  readonly completed: number;
}

const preload = new URL("kill-at.ts", import.meta.url);
/** This share of the kills strikes after a random time instead of at a call that writes. */
const CLOCK_SHARE = 0.25;
/** Work that goes on has less to do; a moment that it does not reach would be no kill. */
const LEFT_AFTER_KILL = 0.4;

/**
 * Kills work with SIGKILL at random moments, goes on with it, kills it again, and so on; whenever it comes to
 * its end, the result must be that of work that was never killed, and it begins anew.
 *
 * @throws Error naming seed, kill and moment, if a file is half-written or the result is another.
 */
export async function killRepeatedly(
  work: Killable,
  wanted: number,
  seed: number,
  scratch: string,
): Promise<KillTally> {
  const random = createRandom(seed).fork(work.name);
  const prepared = join(scratch, "prepared");
  await mkdir(prepared, { recursive: true });
  await work.prepare(prepared);
  const { calls, milliseconds, result } = await runWhole(work, prepared, join(scratch, "whole"));
  const tally = { kills: 0, byClock: 0, completed: 0 };
  const folder = join(scratch, "killed");
  let attempts = 0;
  let isFresh = true;
  await cp(prepared, folder, { recursive: true });
  while (tally.kills < wanted) {
    if (attempts++ > 4 * wanted + 20) throw new Error(`${work.name}: kills do not strike`);
    const command = await work.next(folder);
    if (command === undefined) {
      compare(await work.result(folder), result, `${work.name}, seed ${seed}, completed`);
      tally.completed++;
      isFresh = true;
      await rm(folder, { recursive: true });
      await cp(prepared, folder, { recursive: true });
      continue;
    }
    const mark = join(scratch, `mark-${attempts}`);
    const left = isFresh ? 1 : LEFT_AFTER_KILL;
    const moment = drawMoment(work, calls, left * milliseconds, left, random);
    isFresh = false;
    const { ended, byClock, what } = await runKilled(command, folder, moment, mark);
    const told = `${work.name}, seed ${seed}, kill ${tally.kills} (${what})`;
    const wasKilled = ended.signal === "SIGKILL" || existsSync(mark);
    if (!wasKilled && ended.code !== 0)
      throw new Error(`${told}: exit code ${ended.code}: ${ended.stderr}`);
    if (/This should not happen/.test(ended.stderr)) throw new Error(`${told}: ${ended.stderr}`);
    const broken = await brokenFiles(folder);
    if (broken.length > 0) throw new Error(`${told}: half-written: ${broken.join("; ")}`);
    if (!wasKilled) continue;
    tally.kills++;
    if (byClock) tally.byClock++;
    const problem = await work.check?.(folder);
    if (problem !== undefined) throw new Error(`${told}: ${problem}`);
  }
  await finish(work, folder);
  compare(await work.result(folder), result, `${work.name}, seed ${seed}, after all kills`);
  return { name: work.name, ...tally, completed: tally.completed + 1 };
}

type Moment = { readonly after: number } | Pick<KillPlan, "at" | "when" | "where">;

function drawMoment(
  work: Killable,
  calls: ReadonlyMap<KillPlan["where"], number>,
  milliseconds: number,
  left: number,
  random: Random,
): Moment {
  if (random.uniform() < CLOCK_SHARE) return { after: random.uniform() * milliseconds };
  const where = work.places[random.int(work.places.length)]!;
  const when = (["before", "after", "halfway"] as const)[random.int(3)]!;
  return { where, when, at: random.int(Math.max(1, Math.ceil(left * (calls.get(where) ?? 0)))) };
}

async function runKilled(command: string, folder: string, moment: Moment, mark: string) {
  if ("after" in moment) {
    const child = startCli(command, folder);
    const timer = setTimeout(() => child.kill("SIGKILL"), moment.after);
    const ended = await child.ended;
    clearTimeout(timer);
    return { ended, byClock: true, what: `after ${moment.after.toFixed(1)} ms of ${command}` };
  }
  const plan: KillPlan = { folder, mark, ...moment };
  const child = startCli(command, folder, { preload, env: { KILL_PLAN: JSON.stringify(plan) } });
  const what = `${moment.when} call ${moment.at} of the ${moment.where} in ${command}`;
  return { ended: await child.ended, byClock: false, what };
}

/** The result without any kill, how long it takes, and how many calls there are to strike at. */
async function runWhole(work: Killable, prepared: string, folder: string) {
  const calls = new Map<KillPlan["where"], number>();
  let milliseconds = 0;
  let result: unknown;
  for (const where of work.places) {
    await cp(prepared, folder, { recursive: true });
    const count = `${folder}-calls`;
    const plan: KillPlan = { folder, at: -1, when: "before", where, mark: "", count };
    const command = (await work.next(folder))!;
    const before = performance.now();
    const { code, stderr } = await startCli(command, folder, {
      preload,
      env: { KILL_PLAN: JSON.stringify(plan) },
    }).ended;
    milliseconds = performance.now() - before;
    if (code !== 0) throw new Error(`${work.name}: fails without a kill: ${stderr}`);
    calls.set(where, existsSync(count) ? Number(await readFile(count, "utf8")) : THREAD_CALLS);
    result = await work.result(folder);
    await rm(folder, { recursive: true });
  }
  return { calls, milliseconds, result };
}

/** A thread that is terminated cannot tell how many calls it made. */
const THREAD_CALLS = 20;

async function finish(work: Killable, folder: string): Promise<Ended | undefined> {
  for (let attempt = 0; attempt < 3; attempt++) {
    const command = await work.next(folder);
    if (command === undefined) return undefined;
    const ended = await startCli(command, folder).ended;
    if (ended.code !== 0)
      throw new Error(`${work.name}: ${command}: exit code ${ended.code}: ${ended.stderr}`);
  }
  throw new Error(`${work.name}: does not come to its end`);
}

function compare(given: unknown, expected: unknown, told: string): void {
  const [a, b] = [JSON.stringify(given), JSON.stringify(expected)];
  if (a === b) return;
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const around = (text: string): string => text.slice(Math.max(0, at - 80), at + 80);
  throw new Error(`${told}: another result: ${around(a)} instead of ${around(b)}`);
}
