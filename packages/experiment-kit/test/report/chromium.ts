import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";
import type { Browser, Page } from "playwright-core";

const executablePath = [
  process.env["CHROMIUM_PATH"],
  "/usr/bin/chromium",
  ...(process.env["PATH"] ?? "").split(delimiter).map((folder) => join(folder, "chromium")),
].find((path) => path !== undefined && existsSync(path));

/** Why tests in a browser are skipped here, or undefined. */
export const noChromium: string | undefined =
  executablePath === undefined
    ? "no Chromium at /usr/bin/chromium or on PATH; set CHROMIUM_PATH to run this test"
    : undefined;

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: executablePath!,
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
}

/** What went wrong in a page, and what it asked the network for. */
export interface PageTrace {
  readonly problems: string[];
  readonly requests: string[];
}

export function tracePage(page: Page): PageTrace {
  const trace: PageTrace = { problems: [], requests: [] };
  page.on("pageerror", (error) => trace.problems.push(error.message));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning")
      trace.problems.push(message.text());
  });
  page.on("dialog", (dialog) => {
    trace.problems.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.on("request", (request) => trace.requests.push(request.url()));
  return trace;
}
