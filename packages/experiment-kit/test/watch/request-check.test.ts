import { describe, expect, test } from "vitest";
import { checkRequest } from "../../src/watch/request-check.ts";

const host = "127.0.0.1:8080";
const check = (
  url: string,
  headers: Record<string, string | undefined> = {},
  method: string = "GET",
) => {
  const result = checkRequest({ url, method, headers: { host, ...headers } }, 8080);
  return typeof result === "string" ? result : result.status;
};

describe("requests to the live page", () => {
  test("are answered from this machine's names for it", () => {
    expect(check("/")).toBe("/");
    expect(check("/events", { host: "localhost:8080" })).toBe("/events");
    expect(check("/?x", { "sec-fetch-site": "none" })).toBe("/");
    expect(check("/events", { origin: `http://${host}`, "sec-fetch-site": "same-origin" })).toBe(
      "/events",
    );
  });

  test.each(["evil.example:8080", "evil.example", "127.0.0.1", "127.0.0.1:8081", "", undefined])(
    "are refused for the host %s",
    (name) => expect(check("/", { host: name })).toBe(421),
  );

  test.each(["http://evil.example", "null", "https://127.0.0.1:8080", "http://localhost:8080"])(
    "are refused from the origin %s",
    (origin) => expect(check("/events", { origin })).toBe(403),
  );

  test("are refused from other sites, but a link may be followed", () => {
    const foreign = { "sec-fetch-site": "cross-site" };
    expect(check("/events", foreign)).toBe(403);
    expect(check("/events", { "sec-fetch-site": "same-site" })).toBe(403);
    expect(check("/", { ...foreign, "sec-fetch-mode": "no-cors" })).toBe(403);
    expect(check("/events", { ...foreign, "sec-fetch-mode": "navigate" })).toBe(403);
    expect(check("/", { ...foreign, "sec-fetch-mode": "navigate" })).toBe("/");
  });

  test.each([
    "/../../etc/passwd",
    "/%2e%2e/secret",
    "//etc/passwd",
    "/config.json",
    "/events/",
    "",
    "*",
  ])("find nothing at %s", (url) => expect(check(url)).toBe(404));

  test.each(["POST", "PUT", "DELETE", "OPTIONS", "CONNECT"])("with %s are refused", (method) =>
    expect(check("/", {}, method)).toBe(405),
  );
});
