import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from "vitest";
import {
  launchChromium,
  noChromium,
  type PageTrace,
  tracePage,
} from "../../packages/experiment-kit/test/report/chromium.ts";

const built = join(import.meta.dirname, "../dist/browser/index.html");
// For a machine that does ten things at once: nothing here is measured by the clock.
const timeout = 120_000;

describe("the page that trains a CP factorization", () => {
  let browser: Browser | undefined;
  beforeAll(async () => {
    if (noChromium === undefined) browser = await launchChromium();
  });
  afterAll(() => browser?.close());

  /** The page as built, from the disk unless told, once its first problem is drawn. */
  async function openPage(
    options: BrowserContextOptions & { readonly address?: string } = {},
  ): Promise<{ page: Page; trace: PageTrace }> {
    const { address = pathToFileURL(built).href, ...rest } = options;
    const context = await browser!.newContext(rest);
    onTestFinished(() => context.close());
    context.setDefaultTimeout(timeout);
    await context.route("http://host.test/**", async (route) =>
      route.fulfill({ contentType: "text/html", body: await readFile(built, "utf8") }),
    );
    const page = await context.newPage();
    const trace = tracePage(page);
    await page.goto(address);
    await page.waitForSelector("#facts:not(:empty)", { state: "attached" });
    return { page, trace };
  }

  const number = async (page: Page, id: string): Promise<number> =>
    Number((await page.innerText(`#${id}`)).replaceAll(",", ""));

  /** Trains as fast as possible until the observed entries are fitted. */
  async function trainToTheEnd(page: Page): Promise<void> {
    await page.selectOption("#pace", "Infinity");
    await page.click("#start");
    await page.locator("#announcement").getByText("are fitted after").waitFor();
  }

  const paths = (page: Page, chart: string, description: string): Promise<number> =>
    page.locator(`#${chart} g[aria-description="${description}"] path`).count();

  test.for([2, 4])(
    "raises as many components as a target of rank %i has",
    async (rank, context) => {
      if (noChromium !== undefined) return context.skip(noChromium);
      const { page, trace } = await openPage();
      await page.getByLabel("Rank").fill(String(rank));
      await page.getByLabel("Rank").blur();
      await trainToTheEnd(page);
      // Both begin at a mean square of one.
      expect(await number(page, "observed-loss")).toBeLessThan(1e-4);
      expect(await number(page, "unseen-loss")).toBeLessThan(1e-3);
      expect(await page.innerText("#risen")).toBe(`${rank} (target ${rank})`);
      await expect.poll(() => paths(page, "norms", "components that have risen")).toBe(rank);
      expect(await paths(page, "norms", "components at rest")).toBe(4);
      expect(await paths(page, "losses", "observed entries")).toBe(1);
      expect(trace.problems).toEqual([]);
      // The page alone: what else it needs is inside.
      expect(trace.requests.filter((address) => !/^(blob|data):/.test(address))).toHaveLength(1);
    },
  );

  test("after a large start many components fit, and the unseen entries are wrong", async (context) => {
    if (noChromium !== undefined) return context.skip(noChromium);
    const { page } = await openPage();
    await page.getByLabel("Initial scale").selectOption("0.3");
    await trainToTheEnd(page);
    expect(await number(page, "observed-loss")).toBeLessThan(1e-4);
    expect(await number(page, "unseen-loss")).toBeGreaterThan(0.1);

    // The same seed and settings are the same run.
    const iterations = await number(page, "iteration");
    await page.getByRole("button", { name: "Run again" }).click();
    await page.locator("#announcement").getByText("are fitted after").waitFor();
    await page.getByRole("button", { name: "Run again" }).waitFor();
    expect(await number(page, "iteration")).toBe(iterations);
  });

  test("can be paused, resumed, reset and used by keyboard, under a path of any host", async (context) => {
    if (noChromium !== undefined) return context.skip(noChromium);
    const { page, trace } = await openPage({ address: "http://host.test/docs/live/index.html" });
    await page.selectOption("#pace", "150");
    const start = page.getByRole("button", { name: "Start" });
    await start.focus();
    await page.keyboard.press("Enter");
    await expect.poll(() => number(page, "iteration"), { timeout }).toBeGreaterThan(3);
    await page.getByRole("button", { name: "Pause" }).press("Space");
    await page.locator("#speed").getByText("–").waitFor();
    const paused = await number(page, "iteration");
    await page.waitForTimeout(300);
    expect(await number(page, "iteration")).toBe(paused);
    await start.click();
    await expect.poll(() => number(page, "iteration"), { timeout }).toBeGreaterThan(paused);
    await page.getByRole("button", { name: "Reset" }).click();
    await page.waitForSelector("#facts:not(:empty)", { state: "attached" });
    expect(await number(page, "iteration")).toBe(0);
    expect(await start.isEnabled()).toBe(true);
    expect(trace.problems).toEqual([]);
  });

  test("says what is wrong with impossible settings, and goes on with possible ones", async (context) => {
    if (noChromium !== undefined) return context.skip(noChromium);
    const { page } = await openPage();
    const size = page.getByLabel("Mode size");
    await size.fill("4");
    await size.blur();
    expect(await page.innerText("#problem")).toContain("16 components are enough");
    expect(await page.getByRole("button", { name: "Start" }).isDisabled()).toBe(true);
    await size.fill("");
    await size.blur();
    expect(await page.innerText("#problem")).toContain("missing or out of its range");
    await page.getByLabel("Order").fill("5");
    await size.fill("20");
    await size.blur();
    expect(await page.innerText("#problem")).toContain("3,200,000 entries");
    await page.getByLabel("Order").fill("3");
    await size.fill("8");
    await size.blur();
    expect(await page.innerText("#problem")).toBe("");
    await page.waitForSelector("#facts:not(:empty)", { state: "attached" });
    expect(await page.getByRole("button", { name: "Start" }).isEnabled()).toBe(true);
  });

  test.for([
    { name: "on a light page", colorScheme: "light", viewport: { width: 1200, height: 900 } },
    { name: "on a dark phone", colorScheme: "dark", viewport: { width: 360, height: 740 } },
  ] as const)("is accessible $name", async ({ name: _, ...options }, context) => {
    if (noChromium !== undefined) return context.skip(noChromium);
    const { page } = await openPage({ ...options, reducedMotion: "reduce" });
    await trainToTheEnd(page);
    await page.addScriptTag({ path: createRequire(import.meta.url).resolve("axe-core") });
    const violations = await page.evaluate<readonly string[]>(
      "axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ': ' + nodes[0].html))",
    );
    expect(violations).toEqual([]);
    const overflow = await page.evaluate<number>(
      "document.documentElement.scrollWidth - document.documentElement.clientWidth",
    );
    expect(overflow).toBe(0);
  });
});
