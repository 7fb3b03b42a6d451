import { createHash } from "node:crypto";
import { readdir, readFile, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { connect, type AddressInfo } from "node:net";
import { afterEach, describe, expect, it } from "vitest";
import { downloadFile } from "../../src/index.ts";
import { proxyFor } from "../../src/image-source/proxy.ts";
import { useTemporaryFolder } from "../temporary-folder.ts";

const temporary = useTemporaryFolder();
const content = new Uint8Array(200_000).map((_, i) => (i * 7) % 251);
const md5 = createHash("md5").update(content).digest("hex");

const servers: Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
  delete process.env.http_proxy;
  delete process.env.no_proxy;
});

async function listen(server: Server): Promise<string> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server of `content` that knows ranges; `seen` gets the requests' ranges. */
function fileServer(seen: (string | undefined)[], cutAt?: number) {
  return createServer((request: IncomingMessage, response: ServerResponse) => {
    const range = request.headers.range;
    seen.push(range);
    const start = Number(/^bytes=(\d+)-$/.exec(range ?? "")?.[1] ?? 0);
    if (range !== undefined && start >= content.length) {
      response.writeHead(416).end();
      return;
    }
    const headers = { "content-length": content.length - start };
    if (range === undefined) response.writeHead(200, headers);
    else
      response.writeHead(206, {
        ...headers,
        "content-range": `bytes ${start}-${content.length - 1}/${content.length}`,
      });
    if (cutAt !== undefined && seen.length === 1) {
      response.write(content.subarray(start, cutAt), () =>
        setTimeout(() => response.destroy(), 50),
      );
    } else response.end(content.subarray(start));
  });
}

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("was downloaded");
    },
    (error: unknown) => error as Error & { exitCode: number },
  );

it("the proxy is the one of the environment", () => {
  const proxy = (url: string, environment: Record<string, string>) =>
    proxyFor(new URL(url), environment);
  const both = { http_proxy: "http://a:1", HTTPS_PROXY: "http://b:2" };
  expect(proxy("http://host/x", both)).toBe("http://a:1");
  expect(proxy("https://host/x", both)).toBe("http://b:2");
  expect(proxy("https://host/x", { all_proxy: "http://c:3" })).toBe("http://c:3");
  expect(proxy("https://host/x", {})).toBeUndefined();
  for (const no_proxy of ["*", "host", "x, sub.host", ".host", "*.host", "sub.host:8080"]) {
    expect(proxy("http://sub.host:8080/x", { ...both, no_proxy })).toBeUndefined();
  }
  for (const no_proxy of ["", "other", "st", "sub.host:99"]) {
    expect(proxy("http://sub.host:8080/x", { ...both, no_proxy })).toBe("http://a:1");
  }
});

describe("a download", () => {
  it("is verified and gets its name only then", async () => {
    const url = await listen(fileServer([]));
    const file = temporary("deep/a.bin");
    const progress: (number | undefined)[] = [];
    await downloadFile(
      { url, file, md5 },
      { onProgress: (_, done, total) => progress.push(done, total) },
    );
    expect(new Uint8Array(await readFile(file))).toEqual(content);
    expect(progress.slice(-2)).toEqual([content.length, content.length]);
    expect(await readdir(temporary("deep"))).toEqual(["a.bin"]);
  });

  it("that was cut off says so, and goes on where it stopped", async () => {
    const seen: (string | undefined)[] = [];
    const url = await listen(fileServer(seen, 100_000));
    const file = temporary("a.bin");
    const error = await failure(downloadFile({ url, file, md5 }));
    expect(error.message).toMatch(
      /: cannot download \(.+\); check connection and proxy and run the same command again, it goes on where it stopped$/,
    );
    expect(error.exitCode).toBe(1);
    const before = (await readFile(`${file}.part`)).length;
    expect(before).toBeGreaterThan(0);
    await downloadFile({ url, file, md5 });
    expect(seen).toEqual([undefined, `bytes=${before}-`]);
    expect(new Uint8Array(await readFile(file))).toEqual(content);
    expect(await readdir(temporary(""))).toEqual(["a.bin"]);
  });

  it("that was complete but not yet verified is not made again", async () => {
    const url = await listen(fileServer([]));
    await writeFile(temporary("a.bin.part"), content);
    await downloadFile({ url, file: temporary("a.bin"), md5 });
    expect(new Uint8Array(await readFile(temporary("a.bin")))).toEqual(content);
  });

  it("starts again when the server does not know ranges", async () => {
    const url = await listen(createServer((_, response) => response.end(content)));
    await writeFile(temporary("a.bin.part"), new Uint8Array(1000));
    await downloadFile({ url, file: temporary("a.bin"), md5 });
    expect(new Uint8Array(await readFile(temporary("a.bin")))).toEqual(content);
  });

  it("with a wrong checksum is deleted", async () => {
    const url = await listen(createServer((_, response) => response.end("something else")));
    expect(await failure(downloadFile({ url, file: temporary("a.bin"), md5 }))).toMatchObject({
      message: `${url}: the downloaded file has the MD5 checksum 6c7ba9c5a141421e1c03cb9807c97c74 instead of ${md5}; it was deleted, try again or get the file elsewhere`,
      exitCode: 1,
    });
    expect(await readdir(temporary(""))).toEqual([]);
  });

  it("that the server refuses, or without a server, says why", async () => {
    const url = await listen(
      createServer((_, response) => response.writeHead(404, "Not Found").end()),
    );
    expect((await failure(downloadFile({ url, file: temporary("a.bin"), md5 }))).message).toBe(
      `${url}: cannot download (the server answers 404 Not Found); check connection and proxy and run the same command again, it goes on where it stopped`,
    );
    const nobody = "http://127.0.0.1:9";
    expect(
      (await failure(downloadFile({ url: nobody, file: temporary("a.bin"), md5 }))).message,
    ).toMatch(/^http:\/\/127\.0\.0\.1:9: cannot download \(.+\)/);
  });

  it("stops on a signal and keeps what came", async () => {
    const url = await listen(
      createServer((_, response) => {
        response.writeHead(200, { "content-length": content.length });
        response.write(content.subarray(0, 50_000));
      }),
    );
    const controller = new AbortController();
    const onProgress = () => controller.abort(new Error("interrupted"));
    const download = downloadFile(
      { url, file: temporary("a.bin"), md5 },
      { signal: controller.signal, onProgress },
    );
    expect((await failure(download)).message).toBe("interrupted");
    expect((await readFile(temporary("a.bin.part"))).length).toBeGreaterThan(0);
  });

  it("goes through the proxy of the environment", async () => {
    const url = await listen(fileServer([]));
    const tunnels: string[] = [];
    const proxy = createServer();
    proxy.on("connect", (request, client, head) => {
      tunnels.push(request.url!);
      const [host, port] = request.url!.split(":");
      const target = connect(Number(port), host, () => {
        client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
        target.write(head);
        target.pipe(client).pipe(target);
      });
      target.on("error", () => client.destroy());
      client.on("error", () => target.destroy());
    });
    process.env.http_proxy = await listen(proxy);
    process.env.no_proxy = "";
    await downloadFile({ url, file: temporary("a.bin"), md5 });
    expect(tunnels).toEqual([url.slice("http://".length)]);
    expect(new Uint8Array(await readFile(temporary("a.bin")))).toEqual(content);
  });
});
