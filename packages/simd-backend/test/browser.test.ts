import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { describe, expect, test } from "vitest";
import type { KernelVariant, SupportedFeatures } from "../src/index.ts";

const dist = fileURLToPath(new URL("../dist/", import.meta.url));
const pageModule = fileURLToPath(new URL("browser/multiply.js", import.meta.url));
const executablePath = process.env["CHROMIUM_PATH"] ?? "/usr/bin/chromium";

/** Serves the built package and an empty page, without the headers that shared memory needs. */
async function serveDist(): Promise<{ address: string; close(): void }> {
  const server = createServer((request, response) => {
    const path = normalize(request.url ?? "/");
    if (path === "/") return void response.setHeader("content-type", "text/html").end("<p>kernels");
    readFile(path === "/multiply.js" ? pageModule : join(dist, path)).then(
      (body) => response.setHeader("content-type", "text/javascript").end(body),
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return { address: `http://127.0.0.1:${port}/`, close: () => void server.close() };
}

interface PageResult {
  readonly features: SupportedFeatures;
  readonly variant: KernelVariant;
  readonly threads: number;
  readonly notices: readonly string[];
  readonly product: readonly number[];
}

function exactProduct(): number[] {
  const [m, n, k] = [37, 53, 41];
  return Array.from({ length: m * n }, (_, position) => {
    const [i, j] = [Math.floor(position / n), position % n];
    let sum = 0;
    for (let p = 0; p < k; p++) sum += (((i * k + p) % 7) - 3) * (((p * n + j) % 5) - 2);
    return sum;
  });
}

describe("a browser", () => {
  test("runs the built kernels on one thread", async (context) => {
    if (!existsSync(executablePath)) {
      return context.skip(`no Chromium at ${executablePath}; set CHROMIUM_PATH to run this test`);
    }
    if (!existsSync(join(dist, "index.js")))
      throw new Error("dist/ is missing; build the package first");
    const profile = await mkdtemp(join(tmpdir(), "kernels-browser-"));
    const server = await serveDist();
    const browser = await chromium.launchPersistentContext(profile, {
      executablePath,
      headless: true,
      args: [
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
      ],
    });
    try {
      const page = await browser.newPage();
      await page.goto(server.address);
      for (const variant of ["auto", "plain"] as const) {
        const result = await page.evaluate<PageResult>(
          `import("/multiply.js").then(({ multiply }) => multiply("${variant}"))`,
        );
        expect(result.features).toEqual({ simd: true, relaxedSimd: true, sharedMemory: false });
        expect(result.variant).toBe(variant === "plain" ? "plain" : "relaxed");
        expect(result.threads).toBe(1);
        expect(result.notices.join()).toMatch(/1 thread is used instead of 2/);
        expect(result.product).toEqual(exactProduct());
      }
    } finally {
      await browser.close();
      server.close();
      await rm(profile, { recursive: true, force: true });
    }
  });
});
