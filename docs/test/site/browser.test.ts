import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import {
  afterAll,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from "vitest";
// The one place that knows where Chromium is.
import {
  launchChromium,
  noChromium,
  tracePage,
} from "../../../packages/experiment-kit/test/report/chromium.ts";
import { base, dist, targetOf } from "./built-site.ts";

const origin = "http://docs.test";
const pages = [
  "",
  "theory.html",
  "maths.html",
  "quick-start.html",
  "commands/train-ht.html",
  "results/benchmarks.html",
  "api/tensor-factorization.html",
];
const phone = { width: 390, height: 844 };
const desk = { width: 1280, height: 900 };

// A busy machine takes its time over a page.
const patience = 120_000;
vi.setConfig({ testTimeout: patience, hookTimeout: patience });

let browser: Browser;
beforeAll(async () => {
  if (noChromium === undefined) browser = await launchChromium();
});
afterAll(() => browser?.close());
beforeEach((context) => {
  if (noChromium !== undefined) context.skip(noChromium);
});

/** Opens a page of the built site, whose files take the place of a server. */
async function open(
  path: string,
  options: { viewport: typeof desk; colorScheme?: "light" | "dark" },
) {
  const context = await browser.newContext(options);
  onTestFinished(() => context.close());
  await context.route(`${origin}/**`, (route) =>
    route.fulfill({ path: join(dist, targetOf(route.request().url(), "").file) }),
  );
  context.setDefaultTimeout(patience);
  const page = await context.newPage();
  const trace = tracePage(page);
  await page.goto(`${origin}${base}${path}`, { waitUntil: "networkidle" });
  return { page, trace };
}

describe.each(pages)("/%s", (path) => {
  test("on a phone: no errors, nothing from elsewhere, no scrolling sideways", async () => {
    const { page, trace } = await open(path, { viewport: phone });
    expect(trace.problems).toEqual([]);
    const elsewhere = trace.requests.filter((url) => !/^(data:|http:\/\/docs\.test\/)/.test(url));
    expect(elsewhere).toEqual([]);
    const width = "document.documentElement.scrollWidth";
    expect(await page.evaluate(width)).toBeLessThanOrEqual(phone.width);
    const unseen =
      "[...document.images].filter((i) => i.complete && i.naturalWidth === 0).map((i) => i.src)";
    expect(await page.evaluate(unseen)).toEqual([]);
  });
});

test.each(["", "theory.html", "api/random.html"])(
  "/%s is accessible, in light and in dark",
  async (path) => {
    const { page } = await open(path, { viewport: desk, colorScheme: "light" });
    expect(await seriousViolations(page)).toEqual([]);
    await page.emulateMedia({ colorScheme: "dark" });
    await page.locator("html.dark").waitFor({ state: "attached" });
    expect(await seriousViolations(page)).toEqual([]);
  },
);

async function seriousViolations(page: Page): Promise<unknown> {
  await page.evaluate(
    readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8"),
  );
  return page.evaluate(
    `axe.run(document).then(({ violations }) => violations
      .filter(({ impact }) => impact === "serious" || impact === "critical")
      .map(({ id, nodes }) => id + ": " + nodes.slice(0, 5).map(({ html }) => html.slice(0, 160)).join(" | ")))`,
  );
}

test("a search finds a function of the reference", async () => {
  const { page, trace } = await open("quick-start.html", { viewport: desk });
  await page.keyboard.press("Control+k");
  await page.locator("#localsearch-input").fill("createModeTree");
  const result = page.getByRole("option").first();
  await result.waitFor();
  expect(
    (await result.getAttribute("href")) ?? (await result.locator("a").first().getAttribute("href")),
  ).toContain("api/tensor-factorization");
  expect(trace.problems).toEqual([]);
});
