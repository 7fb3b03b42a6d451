import type { IncomingMessage } from "node:http";

/** Why a request is refused. */
export interface Refusal {
  readonly status: 400 | 403 | 404 | 405 | 421;
  readonly text: string;
}

const PATHS = ["/", "/events"] as const;
export type PagePath = (typeof PATHS)[number];

/**
 * Lets only this page's own requests through. A foreign site cannot name our host (a rebound DNS name
 * shows in `Host`), nor hide where it comes from (`Origin`, `Sec-Fetch-Site`). No path of a request ever
 * reaches the file system: there are two of them.
 */
export function checkRequest(
  request: Pick<IncomingMessage, "method" | "url" | "headers">,
  port: number,
): PagePath | Refusal {
  const { method, url = "", headers } = request;
  const hosts = [`127.0.0.1:${port}`, `localhost:${port}`];
  if (port === 80) hosts.push("127.0.0.1", "localhost");
  const host = headers.host?.toLowerCase();
  if (host === undefined || !hosts.includes(host))
    return { status: 421, text: `This page is at http://127.0.0.1:${port}/ only.` };
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${host}`)
    return { status: 403, text: "Requests from other sites are refused." };
  if (method !== "GET" && method !== "HEAD")
    return { status: 405, text: "Only GET and HEAD are understood." };
  const name = url.split("?", 1)[0];
  const path = PATHS.find((known) => known === name);
  if (path === undefined) return { status: 404, text: "There is nothing here." };
  return isForeign(headers, path)
    ? { status: 403, text: "Requests from other sites are refused." }
    : path;
}

/** Browsers say where a request comes from. A link to the page may be followed from anywhere. */
function isForeign(headers: IncomingMessage["headers"], path: PagePath): boolean {
  const site = headers["sec-fetch-site"];
  if (site === undefined || site === "same-origin" || site === "none") return false;
  return !(path === "/" && headers["sec-fetch-mode"] === "navigate");
}
