import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type {
  Browser,
  BrowserContext,
  BrowserContextOptions,
  Locator,
  Page,
} from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { writeReport } from "../../src/index.ts";
import { launchChromium, noChromium, tracePage } from "./chromium.ts";
import { dynamics, dynamicsMetrics, writeFakeRun } from "./fake-run.ts";
import type { FakeRun } from "./fake-run.ts";

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

let browser: Browser;
let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "report-page-"));
  if (noChromium === undefined) browser = await launchChromium();
});
afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach((context) => {
  if (noChromium !== undefined) context.skip(noChromium);
});

const runA: FakeRun = {
  name: "run-a",
  metrics: dynamicsMetrics,
  lines: dynamics(60),
  flags: { lr: 0.01, epochs: 600 },
  facts: { "dataset size": 4096 },
  stopReason: "all epochs were run",
};
const runB: FakeRun = {
  ...runA,
  name: "run-b",
  lines: dynamics(60, 1.2),
  flags: { lr: 0.03, epochs: 600 },
};

/** One file for each set of runs, and one window for each set of options. */
const files = new Map<string, Promise<string>>();
const contexts = new Map<string, Promise<BrowserContext>>();

async function openReport(runs: readonly FakeRun[], options: BrowserContextOptions = {}) {
  const file = getOrAdd(files, JSON.stringify(runs.map(({ name }) => name)), async () => {
    const paths = runs.map((run) => writeFakeRun(mkdtempSync(join(folder, "runs-")), run));
    const output = join(folder, `${files.size}.html`);
    await writeReport({ paths, output });
    return output;
  });
  const context = getOrAdd(contexts, JSON.stringify(options), () =>
    browser.newContext({ viewport: { width: 1280, height: 900 }, ...options }),
  );
  const page = await (await context).newPage();
  onTestFinished(() => page.close());
  const trace = tracePage(page);
  const url = pathToFileURL(await file).href;
  await page.goto(url);
  await page.locator(".lines path").first().waitFor();
  return { page, trace, url };
}

function getOrAdd<Value>(map: Map<string, Value>, key: string, create: () => Value): Value {
  const value = map.get(key) ?? create();
  map.set(key, value);
  return value;
}

const panelOf = (page: Page, tag: string): Locator => page.locator(`.panel[data-tag="${tag}"]`);
const yTexts = (panel: Locator): Promise<string[]> =>
  panel.locator('.grid text[text-anchor="end"]').allTextContents();
const xTexts = (panel: Locator): Promise<string[]> =>
  panel.locator('.grid text[text-anchor="middle"]').allTextContents();

/** The middle of a chart's curves in the page. */
async function middleOf(panel: Locator) {
  await panel.scrollIntoViewIfNeeded();
  const box = (await panel.locator(".chart").boundingBox())!;
  return { x: box.x + box.width / 2, y: box.y + box.height / 2, ...{ width: box.width } };
}

describe("the report in Chromium", () => {
  test("shows runs, charts, configuration and values, and asks the network for nothing", async () => {
    const { page, trace, url } = await openReport([runA, runB]);
    expect(await page.locator("h1").textContent()).toBe("2 runs of toy");
    const firstRow = page.locator(".runs tbody tr").first();
    expect(await firstRow.textContent()).toMatch(/run-a.*completed.*all epochs were run/);
    expect(await page.locator(".panel h3").allTextContents()).toEqual(["loss", "singular values"]);
    expect(await panelOf(page, "singular values").locator(".lines path").count()).toBe(6);
    expect(await page.locator(".settings.differences tbody").textContent()).toBe("lr0.010.03");
    const loss = page.locator(".values tbody tr").first();
    expect(await loss.locator("td").allTextContents()).toHaveLength(6);
    expect(await loss.textContent()).toContain("@ 599");
    expect(trace.requests).toEqual([url]);
    expect(trace.problems).toEqual([]);
  });

  test("shows the values of all curves where the mouse is", async () => {
    const { page } = await openReport([runA]);
    const panel = panelOf(page, "singular values");
    const { x, y } = await middleOf(panel);
    await page.mouse.move(x, y);
    const caption = (await panel.locator(".legend-caption").textContent())!;
    const epoch = Number(/^Epoch (\d+)$/.exec(caption)![1]);
    const line = runA.lines!.find((recorded) => recorded.epoch === epoch)!;
    const shown = await panel.locator(".legend .value").allTextContents();
    expect(shown.map((text) => Number(text.replace("−", "-")))).toEqual(
      [0, 1, 2].map((k) => Number(line[`singular_value_${k}`]!.toPrecision(4))),
    );
    expect(await panel.locator(".cursor circle").count()).toBe(3);
    expect(await panel.locator(".reading").textContent()).toContain(`epoch ${epoch}`);
    expect(await panel.locator(".legend .marked").count()).toBe(1);
    await page.mouse.move(x, 5);
    expect(await panel.locator(".legend-caption").textContent()).toBe("Last values");
    expect(await panel.locator(".reading").isVisible()).toBe(false);
  });
});

describe("the reader of a report", () => {
  test("toggles log axes, of one chart and of all", async () => {
    const { page } = await openReport([runA]);
    const loss = panelOf(page, "loss");
    const log = loss.getByRole("button", { name: "Log" });
    expect(await log.getAttribute("aria-pressed")).toBe("true");
    expect((await yTexts(loss)).join()).toContain("10⁻");
    await log.click();
    expect(await log.getAttribute("aria-pressed")).toBe("false");
    expect((await yTexts(loss)).join()).not.toContain("10⁻");
    await page.getByLabel("Values", { exact: true }).selectOption("log");
    expect((await yTexts(panelOf(page, "singular values"))).join()).toContain("10");
    expect(await log.getAttribute("aria-pressed")).toBe("true");
    await page.getByLabel("Epochs", { exact: true }).selectOption("log");
    expect((await xTexts(loss)).join()).toMatch(/^(10|100|10,100)$/);
  });

  test("zooms by dragging, by wheel and back", async () => {
    const { page } = await openReport([runA]);
    const panel = panelOf(page, "singular values");
    const { x, y, width } = await middleOf(panel);
    const whole = await xTexts(panel);
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + width / 4, y + 5, { steps: 3 });
    expect(await panel.locator(".selection").isVisible()).toBe(true);
    await page.mouse.up();
    const zoomed = await xTexts(panel);
    expect(zoomed).not.toEqual(whole);
    expect(Number(zoomed[0])).toBeGreaterThan(250);
    await panel.getByRole("button", { name: "Reset zoom" }).click();
    expect(await xTexts(panel)).toEqual(whole);
    expect(await panel.getByRole("button", { name: "Reset zoom" }).isVisible()).toBe(false);

    // The wheel scrolls the page, unless Ctrl is held or the chart has been clicked.
    await page.mouse.move(x, y);
    await page.keyboard.down("Control");
    await page.mouse.wheel(0, -600);
    await page.keyboard.up("Control");
    await expect.poll(() => xTexts(panel)).not.toEqual(whole);
    await page.mouse.dblclick(x, y);
    expect(await xTexts(panel)).toEqual(whole);
  });

  test("zooms all charts together if that is wanted", async () => {
    const { page } = await openReport([runA]);
    const loss = panelOf(page, "loss");
    const whole = await xTexts(loss);
    await page.getByLabel("zoom together").check();
    const { x, y, width } = await middleOf(panelOf(page, "singular values"));
    await page.mouse.move(x, y);
    await page.mouse.down();
    await page.mouse.move(x + width / 5, y);
    await page.mouse.up();
    expect(await xTexts(loss)).not.toEqual(whole);
    await page.getByRole("button", { name: "Reset all zooms" }).click();
    expect(await xTexts(loss)).toEqual(whole);
  });

  test("hides and shows metrics by the legend, and runs by their switches", async () => {
    const { page } = await openReport([runA, runB]);
    const panel = panelOf(page, "singular values");
    const curves = panel.locator(".lines path");
    const first = panel.getByRole("button", { name: "singular_value_0" });
    await first.click();
    expect(await first.getAttribute("aria-pressed")).toBe("false");
    expect(await curves.count()).toBe(4);
    await first.click();
    await first.click({ modifiers: ["Shift"] });
    expect(await curves.count()).toBe(2);
    await first.click({ modifiers: ["Shift"] });
    expect(await curves.count()).toBe(6);
    await page.getByRole("checkbox", { name: "run-b" }).uncheck();
    expect(await curves.count()).toBe(3);
    await page.getByRole("checkbox", { name: "run-a" }).uncheck();
    expect(await panel.locator(".empty").textContent()).toBe(
      "Everything is hidden; switch something on.",
    );
  });

  test("filters charts and values by name", async () => {
    const { page } = await openReport([runA]);
    const filter = page.getByRole("searchbox", { name: "Filter metrics" });
    await filter.fill("VALUE_1 sing");
    expect(await page.locator(".panel:visible h3").allTextContents()).toEqual(["singular values"]);
    expect(await page.locator(".values tbody tr:visible").count()).toBe(1);
    await filter.fill("nothing");
    expect(await page.locator("p.none:visible").textContent()).toBe(
      "No chart has “nothing” in its names.",
    );
    await filter.fill("");
    expect(await page.locator(".panel:visible").count()).toBe(2);
  });

  test("can be used with the keyboard alone", async () => {
    const { page } = await openReport([runA]);
    const panel = panelOf(page, "loss");
    const focused = () =>
      page.evaluate<string>(
        "document.activeElement.getAttribute('class') ?? document.activeElement.id",
      );
    for (let i = 0; i < 40 && (await focused()) !== "chart"; i++) await page.keyboard.press("Tab");
    expect(await panel.locator(".chart:focus").count()).toBe(1);
    const caption = panel.locator(".legend-caption");
    await page.keyboard.press("ArrowRight");
    expect(await caption.textContent()).toBe("Epoch 9");
    await page.keyboard.press("ArrowRight");
    expect(await caption.textContent()).toBe("Epoch 19");
    await page.keyboard.press("Shift+ArrowRight");
    expect(await caption.textContent()).toBe("Epoch 119");
    const spoken = page.locator("[aria-live=polite]");
    expect(await spoken.textContent()).toMatch(/^Epoch 119: train_loss 0\.\d+, test_loss 0\.\d+$/);
    await page.keyboard.press("End");
    expect(await caption.textContent()).toBe("Epoch 599");
    const whole = await xTexts(panel);
    await page.keyboard.press("+");
    expect(await xTexts(panel)).not.toEqual(whole);
    await page.keyboard.press("0");
    expect(await xTexts(panel)).toEqual(whole);
    await page.keyboard.press("l");
    expect(await panel.getByRole("button", { name: "Log" }).getAttribute("aria-pressed")).toBe(
      "false",
    );
    await page.keyboard.press("Escape");
    expect(await caption.textContent()).toBe("Last values");
  });
});

describe("the page", () => {
  test("has no accessibility violations, light and dark", async () => {
    const { page } = await openReport([runA, runB], { bypassCSP: true });
    await page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))");
    await page.getByRole("button", { name: "train_loss" }).click();
    await page.evaluate(axeSource);
    const tags = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"];
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      const violations = await page.evaluate<readonly string[]>(
        `axe.run(document, { runOnly: ${JSON.stringify(tags)} }).then(({ violations }) =>
          violations.map(({ id, nodes }) => id + ": " + nodes[0].html + nodes[0].failureSummary))`,
      );
      expect(violations).toEqual([]);
    }
  });

  test("fits a phone, where touching a chart shows values", async () => {
    const { page } = await openReport([runA, runB], {
      viewport: { width: 360, height: 740 },
      hasTouch: true,
      isMobile: true,
    });
    const widths = await page.evaluate<number[]>(
      "[document.documentElement.scrollWidth, window.innerWidth]",
    );
    expect(widths).toEqual([360, 360]);
    const panel = panelOf(page, "loss");
    const { x, y } = await middleOf(panel);
    await page.touchscreen.tap(x, y);
    expect(await panel.locator(".legend-caption").textContent()).toMatch(/^Epoch \d+$/);
  });

  test("prints its charts and its whole configuration", async () => {
    const { page } = await openReport([runA]);
    const isOpen = () =>
      page.evaluate<boolean>(
        "[...document.querySelectorAll('.all-settings')].every((d) => d.open)",
      );
    expect(await isOpen()).toBe(false);
    await page.evaluate("window.dispatchEvent(new Event('beforeprint'))");
    expect(await isOpen()).toBe(true);
    await page.evaluate("window.dispatchEvent(new Event('afterprint'))");
    expect(await isOpen()).toBe(false);
    const pdf = await page.pdf({ format: "A4" });
    expect(pdf.subarray(0, 5).toString()).toBe("%PDF-");
    expect(pdf.length).toBeGreaterThan(10_000);
    await page.emulateMedia({ media: "print", colorScheme: "dark" });
    expect(await page.locator(".toolbar").isVisible()).toBe(false);
    expect(await page.evaluate<string>("getComputedStyle(document.body).backgroundColor")).toBe(
      "rgb(255, 255, 255)",
    );
  });

  test("shows hostile names and texts as texts", async () => {
    const hostile = `</script><script>alert(1)</script><img src=x onerror="alert(2)">`;
    const { page, trace, url } = await openReport([
      {
        name: "run <img src=x onerror=alert(3)>",
        metrics: [
          { name: hostile, tag: hostile },
          { name: "__proto__", tag: "constructor" },
        ],
        flags: { [hostile]: hostile },
        facts: { [hostile]: hostile },
        lines: [0, 1, 2].map((epoch) => ({ epoch, time: epoch, [hostile]: epoch })),
        stopReason: hostile,
      },
      { ...runA, name: "b" },
    ]);
    await page.evaluate("document.querySelectorAll('details').forEach((d) => (d.open = true))");
    const first = page.locator(".panel").first();
    expect(await first.locator("h3").textContent()).toBe(hostile);
    const { x, y } = await middleOf(first);
    await page.mouse.move(x, y);
    expect(await page.locator("img").count()).toBe(0);
    expect(trace.requests).toEqual([url]);
    expect(trace.problems).toEqual([]);
  });

  test("shows gaps, constants, and curves of 100,000 points", async () => {
    const lines = Array.from({ length: 100_000 }, (_, i) => ({
      epoch: i,
      time: i,
      long: Math.sin(i / 50) + (i === 54_321 ? 10 : 0),
      ...(i % 1000 === 0
        ? { gaps: i % 7000 === 0 ? Number.NaN : i, constant: 5, nothing: Number.NaN }
        : {}),
    }));
    const metrics = ["long", "gaps", "constant", "nothing"].map((name) => ({ name }));
    const { page, trace } = await openReport([{ name: "a", metrics, lines }]);
    const path = (await panelOf(page, "long").locator(".lines path").getAttribute("d"))!;
    expect(path.length).toBeLessThan(60_000);
    const highest = page.locator(".values tbody tr").first().locator("td").nth(2);
    expect(await highest.textContent()).toMatch(/@ 54,321$/);
    const gaps = (await panelOf(page, "gaps").locator(".lines path").getAttribute("d"))!;
    expect(gaps.match(/M/g)!.length).toBe(15);
    expect(await panelOf(page, "nothing").locator(".empty").textContent()).toBe("No values yet.");
    expect(await panelOf(page, "constant").locator(".lines path").getAttribute("d")).not.toBe("");
    expect(trace.problems).toEqual([]);
  });
});
