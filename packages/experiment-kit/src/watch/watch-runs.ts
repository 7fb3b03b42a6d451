import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as setTimeoutAsync } from "node:timers/promises";
import { errorCode, MisuseError } from "../errors.ts";
import { contentPolicy, pageHtml, readPageAssets } from "../report/page-html.ts";
import { findRunFolders } from "../report/find-run-folders.ts";
import { toEventText } from "./live-message.ts";
import type { LiveMessage } from "./live-message.ts";
import { checkRequest } from "./request-check.ts";
import { createRunsFeed } from "./runs-feed.ts";
import type { RunsFeed } from "./runs-feed.ts";

/** What is watched, and at which port. */
export interface WatchOptions {
  /** A run folder, or a folder with runs below it (also runs to come). */
  readonly path: string;
  /** 0: any free one. */
  readonly port?: number;
}

/** A live page that is being served. */
export interface Watch {
  /** Where the page is: on this machine only. */
  readonly url: string;
  /** Tells the open pages, and ends the server. */
  close(): Promise<void>;
}

const POLL_MS = 500;
/** Looking at the files takes at most about a fifth of the time. */
const POLL_PAUSE_FACTOR = 4;
const LAST_WORD_MS = 500;
const HEARTBEAT_MS = 15_000;
const MOST_PAGES = 32;
/** A page that does not take what is sent to it is cut off; it connects again. */
const MOST_WAITING_BYTES = 128 * 1024 * 1024;

/**
 * Serves a live page of runs at 127.0.0.1 until it is closed. The page follows runs that go on, end, are
 * resumed or begin; all it needs is sent over one event stream.
 *
 * @throws MisuseError if the path is no folder or the port is taken.
 */
export async function watchRuns({ path, port = 0 }: WatchOptions): Promise<Watch> {
  await findRunFolders(path);
  const feed = createRunsFeed(path);
  const assets = await readPageAssets();
  const pageId = createHash("sha256").update(assets.script).update(assets.style).digest("hex");
  const html = pageHtml(assets, {
    title: `${feed.title} · implicit-rank`,
    data: "",
    mode: "live",
  });
  const headers = { ...SAFE_HEADERS, "Content-Security-Policy": livePolicy(assets) };
  const pages = createPages(feed, pageId);
  const server = createServer((request, response) => {
    const { port: own } = server.address() as AddressInfo;
    answer(request, response, { port: own, headers, html, pages });
  });
  await listen(server, port);
  pages.start();
  const { port: own } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${own}/`,
    async close() {
      await pages.stop();
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

const SAFE_HEADERS = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
};

function livePolicy(assets: Parameters<typeof contentPolicy>[0]): string {
  return `${contentPolicy(assets, "live")}; frame-ancestors 'none'`;
}

interface Answers {
  readonly port: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly html: string;
  readonly pages: Pages;
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { port, headers, html, pages }: Answers,
): void {
  const path = checkRequest(request, port);
  const isHead = request.method === "HEAD";
  if (typeof path !== "string") {
    const { status, text } = path;
    const allow = status === 405 ? { Allow: "GET, HEAD" } : {};
    response.writeHead(status, { ...headers, ...allow, "Content-Type": "text/plain" });
    response.end(isHead ? undefined : `${text}\n`);
  } else if (path === "/") {
    response.writeHead(200, { ...headers, "Content-Type": "text/html; charset=utf-8" });
    response.end(isHead ? undefined : html);
  } else {
    response.writeHead(200, { ...headers, "Content-Type": "text/event-stream" });
    if (isHead) response.end();
    else pages.add(response);
  }
}

async function listen(server: Server, port: number): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ port, host: "127.0.0.1" }, () => resolve());
    });
  } catch (error) {
    const reason =
      errorCode(error) === "EADDRINUSE"
        ? "is in use by another program"
        : errorCode(error) === "EACCES"
          ? "may not be used by this user"
          : `cannot be used (${errorCode(error) ?? String(error)})`;
    throw new MisuseError(`--port: ${port} ${reason}; choose another one, or 0 for any free port`, {
      cause: error,
    });
  }
}

/** The open pages, kept up to date with a feed. */
interface Pages {
  start(): void;
  add(response: ServerResponse): void;
  stop(): Promise<void>;
}

function createPages(feed: RunsFeed, pageId: string): Pages {
  const open = new Set<ServerResponse>();
  let isStopped = false;
  let timer: NodeJS.Timeout | undefined;
  let heartbeat: NodeJS.Timeout | undefined;
  // Polls and greetings take turns, so that a page misses nothing and gets nothing twice.
  let turn: Promise<void> = Promise.resolve();
  const inTurn = (task: () => void | Promise<void>): Promise<void> => {
    turn = turn.then(task);
    return turn;
  };

  const send = (response: ServerResponse, messages: readonly LiveMessage[]): void => {
    if (messages.length === 0 || response.destroyed) return;
    response.write(messages.map(toEventText).join(""));
    if (response.writableLength > MOST_WAITING_BYTES) response.destroy();
  };
  const poll = async (): Promise<void> => {
    const startedAt = performance.now();
    await inTurn(async () => {
      const messages = await feed.poll();
      for (const response of open) send(response, messages);
    });
    if (isStopped) return;
    const took = performance.now() - startedAt;
    timer = setTimeout(() => void poll(), Math.max(POLL_MS, POLL_PAUSE_FACTOR * took));
  };
  const beat = (): void => {
    for (const response of open) response.write(":\n\n");
  };

  return {
    start() {
      heartbeat = setInterval(beat, HEARTBEAT_MS);
      void poll();
    },
    add(response) {
      if (open.size >= MOST_PAGES || isStopped) {
        response.end();
        return;
      }
      response.on("error", () => response.destroy());
      response.on("close", () => open.delete(response));
      void inTurn(() => {
        const { title, keys } = feed;
        const hello = { event: "hello" as const, data: { page: pageId, title, keys } };
        send(response, [hello, ...feed.current()]);
        if (!response.destroyed) open.add(response);
      });
    },
    async stop() {
      isStopped = true;
      clearTimeout(timer);
      clearInterval(heartbeat);
      await inTurn(async () => {
        const ends = [...open].map((response) => {
          send(response, [{ event: "bye", data: {} }]);
          return new Promise<void>((resolve) => void response.end(resolve));
        });
        // A page that does not listen is not waited for.
        await Promise.race([Promise.all(ends), setTimeoutAsync(LAST_WORD_MS)]);
      });
    },
  };
}
