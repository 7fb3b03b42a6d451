import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { withChecksum } from "@implicit-rank/array-files";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createMetricsReader,
  createMetricValues,
  listRuns,
  readCheckpoint,
  readMetrics,
  runPaths,
  showRun,
} from "../src/index.ts";
import { writeCheckpoint } from "../src/run-folder/checkpoint-file.ts";
import type { CheckpointState, RetainedCheckpoint } from "../src/run-folder/checkpoint-file.ts";
import { retain } from "../src/run-folder/checkpoint-store.ts";
import { lockRun } from "../src/run-folder/lock.ts";
import { openMetricsWriter } from "../src/run-folder/metrics-writer.ts";
import { runToy, temporaryFolder } from "./run-kit.ts";

describe("metrics.jsonl", () => {
  const metrics = () => ({
    train: createMetricValues([{ name: "a" }, { name: 'odd "name"\n' }]),
    validation: createMetricValues([{ name: "v" }]),
    extra: createMetricValues([]),
  });

  it("gives back the very numbers that were written, and NaN for all that are not finite", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.double(), fc.double(), fc.option(fc.double())), { maxLength: 30 }),
        async (rows) => {
          const folder = temporaryFolderOf();
          const tracked = metrics();
          const writer = openMetricsWriter(runPaths(folder).metrics, tracked);
          rows.forEach(([a, b, v], epoch) => {
            tracked.train.values.set([a, b]);
            tracked.train.epochs.fill(epoch);
            if (v !== null) {
              tracked.validation.values[0] = v;
              tracked.validation.epochs[0] = epoch;
            }
            writer.append(epoch, epoch / 8);
          });
          writer.flush();
          expect(writer.bytes).toBe(readFileSync(runPaths(folder).metrics).length);
          writer.close();
          const { epochs, seconds, series } = await readMetrics(folder);
          expect([...epochs]).toEqual(rows.map((_, epoch) => epoch));
          expect([...seconds]).toEqual(rows.map((_, epoch) => epoch / 8));
          const read = (value: number): number => (Number.isFinite(value) ? value + 0 : Number.NaN);
          expect([...(series.get("a")?.values ?? [])]).toEqual(rows.map(([a]) => read(a)));
          expect([...(series.get('odd "name"\n')?.values ?? [])]).toEqual(
            rows.map(([, b]) => read(b)),
          );
          const validated = rows.flatMap(([, , v], epoch) =>
            v === null ? [] : [[epoch, read(v)]],
          );
          const recorded = series.get("v");
          expect(
            recorded === undefined
              ? []
              : [...recorded.epochs].map((epoch, i) => [epoch, recorded.values[i]]),
          ).toEqual(validated);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("can be followed while it grows, and when it is cut back", async () => {
    const folder = temporaryFolder();
    const path = runPaths(folder).metrics;
    const reader = createMetricsReader(folder);
    const epochs = async () => [...(await reader.read()).epochs];
    expect(await epochs()).toEqual([]);
    writeFileSync(path, '{"epoch":0,"time":0,"m":1}\n{"epoch":1,"ti');
    expect(await epochs()).toEqual([0]);
    appendFileSync(path, 'me":0,"m":2}\n');
    expect(await epochs()).toEqual([0, 1]);
    writeFileSync(path, '{"epoch":0,"time":0,"m":1}\n');
    expect(await epochs()).toEqual([0]);
  });

  it("reads files larger than a block", async () => {
    const folder = temporaryFolder();
    const lines = Array.from(
      { length: 60_000 },
      (_, epoch) => `{"epoch":${epoch},"time":${epoch},"loss":${1 / (epoch + 1)}}`,
    );
    writeFileSync(runPaths(folder).metrics, `${lines.join("\n")}\n`);
    const { values } = (await readMetrics(folder)).series.get("loss")!;
    expect(values.length).toBe(60_000);
    expect(values[59_999]).toBe(1 / 60_000);
  });

  it.each([
    ["{oops}", "line 2: is not valid JSON"],
    ["7", "line 2: is not a JSON object"],
    ['{"epoch":4294967296}', "line 2: epoch: is more than 2147483647"],
    ['{"epoch":-1}', "line 2: epoch: is not an integer of at least 0"],
    ['{"epoch":1,"m":"x"}', "line 2: m: is not a number"],
  ])("names the line that is wrong: %s", async (line, message) => {
    const folder = temporaryFolder();
    writeFileSync(runPaths(folder).metrics, `{"epoch":0,"time":0}\n${line}\n`);
    await expect(readMetrics(folder)).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringContaining(message) as string,
    });
  });
});

/** As `temporaryFolder`, inside a property. */
const temporaryFolderOf = temporaryFolder;

describe("retention of checkpoints", () => {
  const scored = fc.uniqueArray(
    fc.record({
      epoch: fc.nat(1000),
      score: fc.option(fc.double({ noNaN: true, noDefaultInfinity: true })),
    }),
    {
      selector: ({ epoch }) => epoch,
      minLength: 1,
      maxLength: 12,
    },
  );

  it("keeps the newest and at most so many, oldest first to go", () => {
    fc.assert(
      fc.property(scored, fc.integer({ min: 1, max: 6 }), (checkpoints, keep) => {
        const sorted = checkpoints.toSorted((a, b) => a.epoch - b.epoch);
        const kept = sorted.reduce<readonly RetainedCheckpoint[]>(
          (list, added) => retain(list, added, { keep }),
          [],
        );
        expect(kept).toEqual(sorted.slice(-keep));
      }),
    );
  });

  it("by score keeps the newest and the best of the others", () => {
    fc.assert(
      fc.property(
        scored,
        fc.integer({ min: 1, max: 6 }),
        fc.boolean(),
        (checkpoints, keep, largest) => {
          const sorted = checkpoints.toSorted((a, b) => a.epoch - b.epoch);
          const newest = sorted.at(-1)!;
          const kept = sorted.reduce<readonly RetainedCheckpoint[]>(
            (list, added) => retain(list, added, { keep, byScore: { largest } }),
            [],
          );
          expect(kept.length).toBe(Math.min(keep, sorted.length));
          expect(kept).toContain(newest);
          if (keep < 2) return;
          const worth = ({ score }: RetainedCheckpoint): number =>
            score === null ? -Infinity : largest ? score : -score;
          const bestOfOthers = Math.max(...sorted.slice(0, -1).map(worth));
          if (sorted.length > 1)
            expect(Math.max(...kept.filter((c) => c !== newest).map(worth))).toBe(bestOfOthers);
        },
      ),
    );
  });

  it("removes files only after the new one is written, in a run", async () => {
    const { folder } = await runToy({
      epochs: 20,
      save_checkpoints: true,
      num_checkpoints: 3,
      save_every_num_val: 2,
    });
    expect(readdirSync(runPaths(folder).checkpoints).sort()).toEqual([
      "epoch_15.safetensors",
      "epoch_17.safetensors",
      "epoch_19.safetensors",
    ]);
  });
});

describe("a checkpoint file", () => {
  const state: CheckpointState = {
    experiment: "toy",
    run: "id",
    epoch: 3,
    elapsedSeconds: 1.5,
    timesResumed: 0,
    metricsBytes: 10,
    stop: null,
    values: { train: { values: ["NaN", 1e-300], epochs: [-1, 3] } },
    callbacks: { "0": { best: "Infinity" }, a: { list: [1, null, "x"] } },
    retained: [{ epoch: 3, score: null }],
  };
  const model = {
    arrays: { w: { shape: [2], data: Float32Array.of(1.5, -0) } },
    metadata: { random: "[1,2]" },
  };
  const held = {
    arrays: { w: { shape: [1], data: Float64Array.of(Math.PI) } },
    metadata: { of: "best" },
  };

  it("comes back as it was written", async () => {
    const path = join(temporaryFolder(), "c.safetensors");
    await writeCheckpoint(path, { state, model, callbackArrays: { early_stop: held } });
    expect(await readCheckpoint(path)).toEqual({
      state,
      model,
      callbackArrays: { early_stop: held },
    });
  });

  it("is refused whole when any byte was changed or cut off", async () => {
    const path = join(temporaryFolder(), "c.safetensors");
    await writeCheckpoint(path, { state, model, callbackArrays: { early_stop: held } });
    const good = readFileSync(path);
    await fc.assert(
      fc.asyncProperty(
        fc.nat(good.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        async (at, flip, cut) => {
          const bad = cut ? good.subarray(0, at) : Buffer.from(good);
          if (!cut) bad[at]! ^= flip;
          writeFileSync(path, bad);
          const outcome = await readCheckpoint(path).then(
            (checkpoint) => ({ checkpoint }),
            (error: unknown) => ({ error: error as Error & { exitCode: number } }),
          );
          if ("error" in outcome) {
            expect(outcome.error.exitCode).toBeGreaterThan(0);
            expect(outcome.error.message).toContain(path);
            expect(outcome.error.message).not.toContain("\n");
          } else {
            // Only padding between header and arrays can change unnoticed.
            expect(outcome.checkpoint).toEqual({
              state,
              model,
              callbackArrays: { early_stop: held },
            });
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("the lock of a run", () => {
  const lockPath = (folder: string): string => runPaths(folder).lock;
  const holder = { token: "t", pid: process.pid, host: hostname(), processStart: "" };
  const lockOf = (changes: Partial<typeof holder>): string =>
    JSON.stringify(withChecksum({ ...holder, ...changes }));

  it("is held by one at a time and free after release", async () => {
    const folder = temporaryFolder();
    const lock = await lockRun(folder);
    await expect(lockRun(folder)).rejects.toMatchObject({ exitCode: 1 });
    await lock.release();
    await (await lockRun(folder)).release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("goes to one of many that want it at once", async () => {
    for (const stale of [false, true]) {
      const folder = temporaryFolder();
      if (stale) writeFileSync(lockPath(folder), lockOf({ pid: 999_999_999 }));
      const attempts = await Promise.allSettled(Array.from({ length: 8 }, () => lockRun(folder)));
      expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    }
  });

  it.runIf(existsSync("/proc/self/stat"))(
    "is taken over from a process whose number another has now",
    async () => {
      const folder = temporaryFolder();
      writeFileSync(lockPath(folder), lockOf({ processStart: "another boot/1" }));
      await (await lockRun(folder)).release();
    },
  );

  it("of another machine is respected while it is fresh", async () => {
    const folder = temporaryFolder();
    writeFileSync(lockPath(folder), lockOf({ host: "elsewhere" }));
    await expect(lockRun(folder)).rejects.toThrow(/process \d+ on elsewhere/);
    const old = new Date(Date.now() - 10 * 60_000);
    utimesSync(lockPath(folder), old, old);
    await (await lockRun(folder)).release();
  });

  it("of another machine is respected when the clock was set back, and no longer than that", async () => {
    const folder = temporaryFolder();
    writeFileSync(lockPath(folder), lockOf({ host: "elsewhere" }));
    const later = new Date(Date.now() + 5 * 3600_000);
    utimesSync(lockPath(folder), later, later);
    await expect(lockRun(folder)).rejects.toThrow(/process \d+ on elsewhere/);
    expect(statSync(lockPath(folder)).mtimeMs).toBeLessThan(Date.now() + 60_000);
  });

  it("is taken over also from one that was killed while it took over", async () => {
    const folder = temporaryFolder();
    const dead = (token: string) => lockOf({ pid: 999_999_999, token });
    writeFileSync(lockPath(folder), dead("a"));
    writeFileSync(`${lockPath(folder)}.after.a`, dead("b"));
    writeFileSync(`${lockPath(folder)}.after.a.after.b`, dead("c"));
    const lock = await lockRun(folder);
    expect(readdirSync(folder)).toEqual(["run.lock"]);
    await expect(lockRun(folder)).rejects.toThrow(`process ${process.pid} on ${hostname()}`);
    await lock.release();
    expect(readdirSync(folder)).toEqual([]);
  });

  it("is not taken over while another process does so", async () => {
    const folder = temporaryFolder();
    writeFileSync(lockPath(folder), lockOf({ pid: 999_999_999, token: "a" }));
    writeFileSync(`${lockPath(folder)}.after.a`, lockOf({ token: "b" }));
    await expect(lockRun(folder)).rejects.toThrow(`process ${process.pid} on ${hostname()}`);
  });

  it("leaves a lock alone that was taken between looking and taking over", async () => {
    const folder = temporaryFolder();
    for (let round = 0; round < 30; round++) {
      writeFileSync(lockPath(folder), lockOf({ pid: 999_999_999 }));
      const attempts = await Promise.allSettled(Array.from({ length: 5 }, () => lockRun(folder)));
      const [lock] = attempts.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      expect(attempts.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
      await lock!.release();
      expect(readdirSync(folder)).toEqual([]);
    }
  });

  it("does not remove a lock that is not its own any more", async () => {
    const folder = temporaryFolder();
    const lock = await lockRun(folder);
    writeFileSync(lockPath(folder), lockOf({ token: "other" }));
    await lock.release();
    expect(existsSync(lockPath(folder))).toBe(true);
  });
});

describe("listing runs", () => {
  it("gives the runs of a folder in order, with status, and names damaged ones", async () => {
    const outputs_dir = temporaryFolder();
    const first = await runToy({ outputs_dir, experiment_name: "z" });
    const second = await runToy({ outputs_dir, experiment_name: "a", diverge_at: 2 });
    mkdirSync(join(outputs_dir, "not a run"));
    mkdirSync(join(outputs_dir, "broken"));
    writeFileSync(join(outputs_dir, "broken", "config.json"), "{");
    writeFileSync(join(outputs_dir, "file"), "");
    const runs = await listRuns(outputs_dir);
    expect(runs.map(({ folder, status }) => [folder, status])).toEqual([
      [join(outputs_dir, "broken"), "damaged"],
      [first.folder, "completed"],
      [second.folder, "diverged"],
    ]);
    expect(runs[0]!.problem).toContain("is not valid JSON");
    expect(runs[1]!.summary).toEqual(first.summary);
    expect((await showRun(first.folder)).config.flags["epochs"]).toBe(5);
  });

  it("answers a folder that does not exist in one line", async () => {
    await expect(listRuns("/nowhere/at/all")).rejects.toThrow(
      "/nowhere/at/all: cannot be read: no such file or folder",
    );
  });

  it("names metrics that are not what the run wrote", async () => {
    const { folder } = await runToy();
    const { metrics } = runPaths(folder);
    const text = readFileSync(metrics, "utf8");
    for (const changed of [text.replace(/5/, "6"), text.slice(0, -1), text.slice(0, 150), ""]) {
      writeFileSync(metrics, changed);
      await expect(readMetrics(folder)).rejects.toThrow(
        `${metrics}: does not fit metrics_sha256 in summary.json, it was damaged or edited`,
      );
    }
    writeFileSync(metrics, `${text}{"epoch":9`);
    expect((await readMetrics(folder)).epochs.at(-1)).toBe(4);
  });

  it("names a summary with another score", async () => {
    const { folder } = await runToy();
    const path = runPaths(folder).summary;
    writeFileSync(path, readFileSync(path, "utf8").replace(/"score": 0/, '"score": 1'));
    await expect(showRun(folder)).rejects.toThrow(
      `${path}: checksum: does not fit, the file was damaged or edited`,
    );
  });

  it("names a damaged summary", async () => {
    const { folder } = await runToy();
    const path = runPaths(folder).summary;
    const text = readFileSync(path, "utf8");
    writeFileSync(path, text.slice(0, 40));
    await expect(showRun(folder)).rejects.toThrow(
      `${path}: is not valid JSON; the file is truncated or damaged`,
    );
    writeFileSync(path, text.replace('"version": 1', '"version": 2'));
    await expect(showRun(folder)).rejects.toThrow(
      `${path}: version: is 2, this version reads 1; install a newer implicit-rank`,
    );
  });
});
