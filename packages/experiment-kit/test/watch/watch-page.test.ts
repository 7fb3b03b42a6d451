import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { resumeRun, runExperiment, watchRuns } from "../../src/index.ts";
import type { Experiment } from "../../src/index.ts";
import { launchChromium, noChromium, tracePage } from "../report/chromium.ts";
import { appendLines, writeFakeRun } from "../report/fake-run.ts";
import { quiet } from "../run-kit.ts";
import { toyExperiment } from "../toy-experiment.ts";

// Everything here waits for a condition; on a busy machine that may take a while.
const PATIENCE = { timeout: 60_000, interval: 100 };
const TEST_TIMEOUT = 180_000;

let browser: Browser;
let context: BrowserContext;
beforeAll(async () => {
  if (noChromium !== undefined) return;
  browser = await launchChromium();
  context = await browser.newContext();
  context.setDefaultTimeout(PATIENCE.timeout);
}, TEST_TIMEOUT);
afterAll(() => browser?.close());
beforeEach((testContext) => {
  if (noChromium !== undefined) testContext.skip(noChromium);
});

function watchedFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "watch-page-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function openWatch(path: string, port = 0) {
  const watch = await watchRuns({ path, port });
  onTestFinished(() => watch.close());
  const page = await context.newPage();
  onTestFinished(() => page.close());
  const trace = tracePage(page);
  await page.goto(watch.url);
  return { watch, page, trace };
}

const lastEpochs = (page: Page, run: string) =>
  page.locator(".runs tbody tr", { hasText: run }).locator("[data-label=Epochs]").textContent();
const stateOf = (page: Page, run: string) =>
  page.locator(".runs tbody tr", { hasText: run }).locator(".state").textContent();
const curve = (page: Page) => page.locator(".lines path").first().getAttribute("d");

const line = (epoch: number) => ({ epoch, time: epoch, train_loss: 1 / (epoch + 1) });

describe("the live page in Chromium", () => {
  test(
    "follows a real run while it trains, to its end and when it is resumed",
    { timeout: TEST_TIMEOUT },
    async () => {
      const outputs = watchedFolder();
      const { page, trace, watch } = await openWatch(outputs);
      await page.getByText("No metrics yet.").waitFor();

      const abort = new AbortController();
      const flags = {
        outputs_dir: outputs,
        random_seed: 1,
        epochs: 100_000,
        slow_ms: 20,
        save_checkpoints: true,
      };
      const run = runExperiment(toyExperiment as Experiment, flags, {
        ...quiet,
        signal: abort.signal,
      });
      await page.locator(".state.running").waitFor();
      await expect.poll(() => page.locator(".lines path").count(), PATIENCE).toBeGreaterThan(0);
      const before = await curve(page);
      await expect.poll(() => curve(page), PATIENCE).not.toBe(before);

      abort.abort();
      const { folder } = await run;
      await page.locator(".state.interrupted").waitFor();
      const epochs = Number((await lastEpochs(page, "exp"))!.replaceAll(",", "").split(" ")[0]);
      expect(epochs).toBeGreaterThan(1);

      await resumeRun(folder, [toyExperiment as Experiment], { ...quiet, epochs: epochs + 3 });
      await expect.poll(() => stateOf(page, "exp"), PATIENCE).toBe("completed");
      expect(await lastEpochs(page, "exp")).toBe((epochs + 3).toLocaleString("en-US"));

      expect(trace.problems).toEqual([]);
      for (const request of trace.requests) expect(request).toContain(watch.url);
    },
  );

  test(
    "shows runs that begin in the folder, and keeps the reader's choices as points arrive",
    { timeout: TEST_TIMEOUT },
    async () => {
      const folder = watchedFolder();
      const first = writeFakeRun(folder, { name: "first", lines: [line(0), line(1)] });
      const { page } = await openWatch(folder);
      const panel = page.locator(".panel");
      const log = panel.getByRole("button", { name: "Log" });
      await log.click();
      const second = writeFakeRun(join(folder, "later"), { name: "second", lines: [line(0)] });
      await page.getByRole("checkbox", { name: "second" }).waitFor();
      expect(await panel.locator(".lines path").count()).toBe(2);
      await page.getByRole("checkbox", { name: "first" }).uncheck();
      const legendItem = await panel.locator(".legend li").elementHandle();
      appendLines(first, [line(2)]);
      appendLines(second, [line(1), line(2), line(3)]);
      await expect.poll(() => lastEpochs(page, "second"), PATIENCE).toBe("4 of 1,000");
      expect(await panel.locator(".lines path").count()).toBe(1);
      expect(await log.getAttribute("aria-pressed")).toBe("true");
      // The same element as before: a press that began on it is not lost.
      expect(await legendItem!.isVisible()).toBe(true);

      rmSync(second, { recursive: true });
      await expect.poll(() => page.locator(".runs tbody tr").count(), PATIENCE).toBe(1);
    },
  );

  test(
    "connects again when watch is started again at the same port",
    { timeout: TEST_TIMEOUT },
    async () => {
      const folder = watchedFolder();
      const run = writeFakeRun(folder, { name: "first", lines: [line(0), line(1)] });
      const { page, watch } = await openWatch(folder);
      const connection = page.locator(".connection");
      await expect.poll(() => lastEpochs(page, "first"), PATIENCE).toBe("2 of 1,000");
      await watch.close();
      await expect.poll(() => connection.textContent(), PATIENCE).not.toBe("live");
      expect(await page.locator(".lines path").count()).toBe(1);

      appendLines(run, [line(2)]);
      const again = await watchRuns({ path: folder, port: Number(new URL(watch.url).port) });
      onTestFinished(() => again.close());
      await expect.poll(() => connection.textContent(), PATIENCE).toBe("live");
      await expect.poll(() => lastEpochs(page, "first"), PATIENCE).toBe("3 of 1,000");
      expect(await page.locator(".runs tbody tr").count()).toBe(1);
    },
  );

  test("gives nothing to a foreign page", { timeout: TEST_TIMEOUT }, async () => {
    const folder = watchedFolder();
    writeFakeRun(folder, { name: "secret", lines: [line(0)] });
    const watch = await watchRuns({ path: folder });
    onTestFinished(() => watch.close());
    const page = await context.newPage();
    onTestFinished(() => page.close());
    const events = JSON.stringify(`${watch.url}events`);
    // A page at another origin: another port of the same machine.
    const other = await watchRuns({ path: watchedFolder() });
    onTestFinished(() => other.close());
    await page.route(other.url, (route) =>
      route.fulfill({ contentType: "text/html", body: "<p>foreign" }),
    );
    await page.goto(other.url);
    const read = (mode: string) =>
      page.evaluate<string>(
        `fetch(${events}, { mode: "${mode}" }).then((r) => r.type + r.status, (e) => e.name)`,
      );
    expect(await read("cors")).toBe("TypeError");
    expect(await read("no-cors")).toBe("TypeError");
  });
});
