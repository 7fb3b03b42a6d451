import { Agent, ProxyAgent, type Dispatcher } from "undici";

/** The connection to a server, through the proxy that HTTP_PROXY, HTTPS_PROXY and NO_PROXY ask for. */
export function connectionFor(url: string): Dispatcher {
  const proxy = proxyFor(new URL(url), process.env);
  return proxy === undefined ? new Agent() : new ProxyAgent(proxy);
}

/** As curl reads the variables: lower case first; NO_PROXY lists hosts and domains, "*" all of them. */
export function proxyFor(
  { protocol, hostname, port }: URL,
  environment: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const read = (name: string) => environment[name] ?? environment[name.toUpperCase()] ?? "";
  const proxy = read(protocol === "https:" ? "https_proxy" : "http_proxy") || read("all_proxy");
  const excluded = read("no_proxy")
    .split(/[\s,]+/)
    .some((pattern) => {
      const [host, wantedPort] = pattern.replace(/^\*?\./, "").split(":");
      if (pattern === "*") return true;
      if (host === "" || (wantedPort !== undefined && wantedPort !== port)) return false;
      return hostname === host || hostname.endsWith(`.${host}`);
    });
  return proxy === "" || excluded ? undefined : proxy;
}
