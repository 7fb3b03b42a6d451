import { fork } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { withChecksum } from "@implicit-rank/array-files";
import { lockRun, runPaths, showRun } from "@implicit-rank/experiment-kit";
import { createRandom } from "@implicit-rank/random";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Order, Reply } from "../locks/contender.ts";
import { callCli, doCli } from "../programs/call-cli.ts";
import { runsIn } from "../programs/run-results.ts";
import { rounds, seedOfDay } from "../programs/scale.ts";
import { startCli } from "../programs/start-cli.ts";
import { matrixFlags, rawFlags } from "../programs/tiny-sets.ts";
import { brokenFiles } from "../programs/whole-files.ts";

const scratch = await realpath(await mkdtemp(join(tmpdir(), "reliability-two-")));
afterAll(() => rm(scratch, { recursive: true, force: true }));
let set = "";
beforeAll(async () => {
  await doCli(`data matrix ${matrixFlags} --output_dir data --quiet`, scratch);
  set = join(scratch, "data", (await readdir(join(scratch, "data")))[0]!);
});
const endless = () =>
  `train mf --dataset_path ${set} --num_train_samples 30 --epochs 100000000 --validate_every 1000000 --seed 1 --quiet`;
const heldBy = (pid: number) =>
  new RegExp(`^error: .* by process ${pid} on ${hostname()}; wait for it or stop it first\n$`);

/** Waits for a file that a program makes; as long as the test may take. */
async function appears(find: () => Promise<string | undefined>): Promise<string> {
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe("a lock that was left behind", () => {
  const dead = { token: "dead", pid: 999_999_999, host: hostname(), processStart: "" };
  const kinds: Readonly<Record<string, object>> = {
    "of a process that is gone": dead,
    "of a process before the machine was started anew": {
      ...dead,
      pid: process.pid,
      processStart: "other boot/1",
    },
    "of a process whose number another has now": { ...dead, pid: 1, processStart: "this boot/1" },
  };

  it(
    "goes to exactly one of four processes that want it at once, time after time",
    { timeout: 300_000 * rounds },
    async () => {
      const random = createRandom(seedOfDay).fork("contenders");
      const contenders = Array.from({ length: 4 }, () =>
        fork(new URL("../locks/contender.ts", import.meta.url), { execArgv: [] }),
      );
      const ask = (order: Order) =>
        Promise.all(
          contenders.map(
            (contender) =>
              new Promise<Reply>((resolve) => {
                contender.once("message", (reply) => resolve(reply as Reply));
                contender.send(order);
              }),
          ),
        );
      try {
        for (let round = 0; round < 100 * rounds; round++) {
          const folder = join(scratch, `lock-${round}`);
          await mkdir(folder);
          const { lock } = runPaths(folder);
          const [kind, holder] = Object.entries(kinds)[random.int(3)]!;
          await writeFile(lock, JSON.stringify(withChecksum(holder)));
          // Sometimes one has died while it took the lock over, too.
          if (random.int(3) === 0)
            await writeFile(
              `${lock}.after.dead`,
              JSON.stringify(withChecksum({ ...dead, token: "dead too" })),
            );
          const replies = await ask({ take: folder });
          const got = replies.filter((reply) => "got" in reply && reply.got);
          expect(got.length, `round ${round}, seed ${seedOfDay}, ${kind}`).toBe(1);
          for (const reply of replies)
            if ("got" in reply && !reply.got)
              expect(reply.message).toMatch(/ by process \d+ on .*; wait for it or stop it first$/);
          await ask({ release: true });
          expect(await readdir(folder)).toEqual([]);
          await rm(folder, { recursive: true });
        }
      } finally {
        for (const contender of contenders) contender.kill("SIGKILL");
      }
    },
  );
});

describe("a second process", () => {
  it(
    "cannot resume a run that is being trained; once that is killed, it can at once",
    { timeout: 120_000 },
    async () => {
      const folder = join(scratch, "trained");
      await mkdir(folder);
      const first = startCli(endless(), folder);
      const run = await appears(async () => {
        const [found] = await runsIn(join(folder, "outputs", "exps"));
        return found !== undefined && existsSync(runPaths(found).metrics) ? found : undefined;
      });
      const second = await callCli(`runs resume ${run}`, folder);
      expect(second.code).toBe(1);
      expect(second.stderr).toMatch(heldBy(first.pid));
      expect((await showRun(run)).status).toBe("running");
      first.kill("SIGKILL");
      expect((await first.ended).signal).toBe("SIGKILL");
      expect(existsSync(runPaths(run).lock)).toBe(true);
      expect((await showRun(run)).status).toBe("killed");
      await (await lockRun(run)).release();
      expect(existsSync(runPaths(run).lock)).toBe(false);
    },
  );

  it("cannot run a sweep that is being run", { timeout: 120_000 }, async () => {
    const folder = join(scratch, "swept");
    await mkdir(folder);
    const sweep = `${endless().replace("train mf", "sweep mf").replace("--seed 1", "--seed 0,1")} --workers 1 --sweep_dir sweep`;
    const first = startCli(sweep, folder);
    await appears(async () => {
      const [found] = await runsIn(join(folder, "sweep"));
      return found !== undefined && existsSync(runPaths(found).metrics) ? found : undefined;
    });
    const second = await callCli(sweep, folder);
    expect(second.code).toBe(1);
    expect(second.stderr).toMatch(heldBy(first.pid));
    first.kill("SIGINT");
    expect((await first.ended).code).toBe(130);
    const statuses = await Promise.all((await runsIn(join(folder, "sweep"))).map(showRun));
    expect(statuses.map(({ status }) => status)).toEqual(["interrupted"]);
  });

  it("does not write the file that another writes", { timeout: 120_000 }, async () => {
    const folder = join(scratch, "converted");
    await mkdir(folder);
    const command = `data convert ${set} new.npz --quiet`;
    const answers = await Promise.all([1, 2, 3].map(() => startCli(command, folder).ended));
    expect(answers.map(({ code }) => code).sort()).toEqual([0, 2, 2]);
    for (const { code, stderr } of answers)
      if (code !== 0) expect(stderr).toMatch(/^error: new\.npz: the file exists already; .*\n$/);
    expect(await readdir(folder)).toEqual(["new.npz"]);
    expect(await brokenFiles(folder)).toEqual([]);
  });

  it(
    "makes the other images of a folder that another fills, also if both begin it at once",
    { timeout: 120_000 * rounds },
    async () => {
      const folder = join(scratch, "raw");
      await mkdir(folder);
      const command = `data pathfinder-raw ${rawFlags} --quiet`;
      await doCli(`${command} --output_dir alone`, folder);
      const images = (await readdir(join(folder, "alone"), { recursive: true })).sort();
      for (let round = 0; round < rounds; round++) {
        const together = `together-${round}`;
        const all = [1, 2, 3].map(
          () => startCli(`${command} --output_dir ${together}`, folder).ended,
        );
        for (const { code, stderr } of await Promise.all(all))
          expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
        const made = await readdir(join(folder, together), { recursive: true });
        expect(made.sort()).toEqual(images);
        for (const name of images.filter((image) => image.endsWith(".png")))
          expect(await readFile(join(folder, together, name))).toEqual(
            await readFile(join(folder, "alone", name)),
          );
      }
    },
  );
});
