import { rmSync, truncateSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { withChecksum } from "@implicit-rank/array-files";
import { describe, expect, test } from "vitest";
import { runPaths } from "../../src/index.ts";
import { decodeCurves } from "../../src/report/curve-codec.ts";
import type { LiveMessages } from "../../src/report/report-data.ts";
import type { LiveMessage } from "../../src/watch/live-message.ts";
import { createRunsFeed } from "../../src/watch/runs-feed.ts";
import { appendLines, dynamics, writeFakeRun, writeFakeSummary } from "../report/fake-run.ts";
import { temporaryFolder } from "../run-kit.ts";

/** As a process that trains would hold it. */
function lock(folder: string, token: string): void {
  rmSync(runPaths(folder).lock, { force: true });
  const holder = { token, pid: process.pid, host: hostname(), processStart: "" };
  writeFileSync(runPaths(folder).lock, JSON.stringify(withChecksum(holder)));
}

function dataOf<Name extends keyof LiveMessages>(
  messages: readonly LiveMessage[],
  event: Name,
): LiveMessages[Name] {
  expect(messages.map((message) => message.event)).toEqual([event]);
  return (messages[0] as { readonly data: unknown }).data as LiveMessages[Name];
}

const line = (epoch: number, loss: number | null = 1 / (epoch + 1)) => ({
  epoch,
  time: epoch / 10,
  train_loss: loss as number,
});
const losses = (curves: string) =>
  decodeCurves(Buffer.from(curves, "base64")).map(({ epochs }) => Array.from(epochs));

describe("the feed of a live page", () => {
  test("gives a run as a whole, and then only what is new", async () => {
    const root = temporaryFolder();
    const folder = writeFakeRun(root, { name: "a", lines: [line(0), line(1)] });
    lock(folder, "first");
    const feed = createRunsFeed(root);
    const first = dataOf(await feed.poll(), "run");
    expect(first.run).toMatchObject({ name: "a", state: "running", lastEpoch: 1 });
    expect(losses(first.curves)).toEqual([[0, 1]]);
    expect(await feed.poll()).toEqual([]);

    appendLines(folder, [line(2), line(3, null)]);
    const second = dataOf(await feed.poll(), "points");
    expect(second.points).toEqual({
      0: [
        [2, 3],
        [1 / 3, null],
      ],
    });
    expect(second.run).toMatchObject({ lastEpoch: 3, seconds: 0.3 });
    expect(second.run).not.toHaveProperty("settings");
  });

  test("waits for the end of a line that is being written", async () => {
    const root = temporaryFolder();
    const folder = writeFakeRun(root, { name: "a", lines: [line(0)] });
    lock(folder, "first");
    const feed = createRunsFeed(root);
    await feed.poll();
    const text = JSON.stringify(line(1));
    writeFileSync(runPaths(folder).metrics, text.slice(0, 10), { flag: "a" });
    expect(await feed.poll()).toEqual([]);
    writeFileSync(runPaths(folder).metrics, `${text.slice(10)}\n`, { flag: "a" });
    expect(dataOf(await feed.poll(), "points").points).toEqual({ 0: [[1], [1 / 2]] });
  });

  test("tells the end of a run, and that one was killed", async () => {
    const root = temporaryFolder();
    const folder = writeFakeRun(root, { name: "a", lines: [line(0)] });
    lock(folder, "first");
    const feed = createRunsFeed(root);
    await feed.poll();
    rmSync(runPaths(folder).lock);
    expect(dataOf(await feed.poll(), "points").run.state).toBe("killed");
    writeFakeSummary(folder, "all epochs were run", [line(0)]);
    expect(dataOf(await feed.poll(), "points").run).toMatchObject({
      state: "completed",
      reason: "all epochs were run",
    });
    expect(await feed.poll()).toEqual([]);
    expect(losses(dataOf(feed.current(), "run").curves)).toEqual([[0]]);
  });

  test("begins a run anew that was resumed, also if its metrics are as long as before", async () => {
    const root = temporaryFolder();
    const folder = writeFakeRun(root, { name: "a", lines: [line(0), line(1), line(2)] });
    lock(folder, "first");
    const feed = createRunsFeed(root);
    await feed.poll();
    const length = JSON.stringify(line(0)).length + 1;
    truncateSync(runPaths(folder).metrics, length);
    lock(folder, "second");
    appendLines(folder, [line(5), line(6), line(7)]);
    const { curves } = dataOf(await feed.poll(), "run");
    expect(losses(curves)).toEqual([[0, 5, 6, 7]]);
  });

  test("tells settings that resuming has changed, even if nothing else has", async () => {
    const root = temporaryFolder();
    writeFakeRun(root, { name: "a", lines: [line(0)], lastEpoch: 99 });
    const feed = createRunsFeed(root);
    await feed.poll();
    writeFakeRun(root, { name: "a", lines: [line(0)], lastEpoch: 199 });
    expect(dataOf(await feed.poll(), "run").run.plannedLastEpoch).toBe(199);
  });

  test("notices metrics that were cut back even if the lock looks the same", async () => {
    const root = temporaryFolder();
    const folder = writeFakeRun(root, { name: "a", lines: [line(0), line(1), line(2)] });
    lock(folder, "first");
    const feed = createRunsFeed(root);
    await feed.poll();
    truncateSync(runPaths(folder).metrics, JSON.stringify(line(0)).length + 1);
    expect(losses(dataOf(await feed.poll(), "run").curves)).toEqual([[0]]);
  });

  test("tells runs that begin, are damaged, mended or removed", async () => {
    const root = temporaryFolder();
    const feed = createRunsFeed(root);
    expect(await feed.poll()).toEqual([]);
    const folder = writeFakeRun(join(root, "sweep"), { name: "b", lines: dynamics(3) });
    expect(dataOf(await feed.poll(), "run").run.name).toBe("b");
    expect(feed.keys).toHaveLength(1);

    writeFileSync(runPaths(folder).metrics, "oops\n");
    const damaged = dataOf(await feed.poll(), "run").run;
    expect(damaged).toMatchObject({ state: "damaged", name: "b" });
    expect(damaged.reason).toContain("line 1: is not valid JSON");
    expect(await feed.poll()).toEqual([]);

    writeFileSync(runPaths(folder).metrics, "");
    expect(dataOf(await feed.poll(), "run").run.state).toBe("killed");
    rmSync(folder, { recursive: true });
    dataOf(await feed.poll(), "gone");
    expect(feed.current()).toEqual([]);
  });
});
