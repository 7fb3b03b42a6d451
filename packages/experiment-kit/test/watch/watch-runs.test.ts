import { request } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { watchRuns } from "../../src/index.ts";
import { dynamics, writeFakeRun } from "../report/fake-run.ts";
import { temporaryFolder } from "../run-kit.ts";

async function watchFolder(path = temporaryFolder(), port = 0) {
  const watch = await watchRuns({ path, port });
  onTestFinished(() => watch.close());
  return { ...watch, port: Number(new URL(watch.url).port), path };
}

interface Answer {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(
  port: number,
  path: string,
  options: { method?: string; headers?: Record<string, string> } = {},
) {
  return new Promise<Answer>((resolve, reject) => {
    const sent = request(
      { port, host: "127.0.0.1", path, agent: false, ...options },
      (response) => {
        let body = "";
        response.setEncoding("utf8");
        response.on("data", (text: string) => (body += text));
        response.on("end", () =>
          resolve({ status: response.statusCode, headers: response.headers, body }),
        );
      },
    );
    sent.on("error", reject).end();
  });
}

/** Reads an event stream until a text has come. */
function readUntil(port: number, wanted: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ port, host: "127.0.0.1", path: "/events" }, (response) => {
      let body = "";
      response.setEncoding("utf8");
      response.on("data", (text: string) => {
        body += text;
        if (!body.includes(wanted)) return;
        sent.destroy();
        resolve(body);
      });
    });
    sent.on("error", reject).end();
  });
}

describe("the live page's server", () => {
  test("gives the page and its events, with headers that lock the page in", async () => {
    const { port, path } = await watchFolder();
    writeFakeRun(path, { name: "a", lines: dynamics(5) });
    const page = await ask(port, "/");
    expect(page.status).toBe(200);
    expect(page.body).toContain('data-mode="live"');
    expect(page.headers).toMatchObject({
      "content-type": "text/html; charset=utf-8",
      "cache-control": "no-store",
      "x-content-type-options": "nosniff",
      "cross-origin-resource-policy": "same-origin",
    });
    expect(page.headers["content-security-policy"]).toMatch(
      /default-src 'none'.*frame-ancestors 'none'/,
    );
    expect(page.headers).not.toHaveProperty("access-control-allow-origin");
    const events = await readUntil(port, "event: run");
    expect(events).toContain("event: hello");
  });

  test("refuses foreign hosts, origins, methods and every other path", async () => {
    const { port } = await watchFolder();
    const status = async (path: string, options = {}) => (await ask(port, path, options)).status;
    expect(await status("/", { headers: { Host: "evil.example" } })).toBe(421);
    expect(await status("/events", { headers: { Origin: "http://evil.example" } })).toBe(403);
    expect(await status("/", { method: "POST" })).toBe(405);
    expect(await status("/../../../../etc/passwd")).toBe(404);
    expect(await status("/%2e%2e%2fconfig.json")).toBe(404);
    const head = await ask(port, "/", { method: "HEAD" });
    expect([head.status, head.body]).toEqual([200, ""]);
    expect((await ask(port, "/events", { method: "HEAD" })).status).toBe(200);
  });

  test("listens to this machine only", async () => {
    const { url, port } = await watchFolder();
    expect(url).toBe(`http://127.0.0.1:${port}/`);
    const reached = await new Promise<boolean>((resolve) => {
      const socket = connect({ port, host: "::1" }, () => resolve(true));
      socket.on("error", () => resolve(false));
      onTestFinished(() => void socket.destroy());
    });
    expect(reached).toBe(false);
  });

  test("says which flag is wrong", async () => {
    const { port, path } = await watchFolder();
    await expect(watchRuns({ path, port })).rejects.toMatchObject({
      exitCode: 2,
      message: `--port: ${port} is in use by another program; choose another one, or 0 for any free port`,
    });
    await expect(watchRuns({ path: join(path, "none") })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("there is no such folder"),
    });
  });

  test("says good-bye to open pages when it is closed", async () => {
    const watch = await watchRuns({ path: temporaryFolder() });
    const port = Number(new URL(watch.url).port);
    const ended = ask(port, "/events");
    await readUntil(port, "hello");
    await watch.close();
    expect((await ended).body).toMatch(/event: bye\ndata: {}\n\n$/);
    await expect(ask(port, "/")).rejects.toThrow("ECONNREFUSED");
  });
});
