import { createReadStream } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename } from "node:path";
import { scope, type PackedPackage } from "../../publishing/published-packages.ts";

export interface LocalRegistry {
  /** What makes npm fetch our packages from here, and all others from where it always does. */
  readonly settings: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** An npm registry that has the packed packages and nothing else, on this machine only. */
export async function startLocalRegistry(
  packages: readonly PackedPackage[],
): Promise<LocalRegistry> {
  let url = "";
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? "");
    const asked = packages.find(({ manifest }) => path === `/${manifest.name}`);
    const fetched = packages.find(({ tarball }) => path === `/${basename(tarball)}`);
    if (asked !== undefined) {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(packument(asked, url)));
    } else if (fetched !== undefined) {
      response.setHeader("content-type", "application/octet-stream");
      createReadStream(fetched.tarball).pipe(response);
    } else {
      response.writeHead(404).end();
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    settings: { [`npm_config_${scope.slice(0, -1)}:registry`]: url },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function packument({ manifest, tarball, integrity, shasum }: PackedPackage, url: string): object {
  const { name, version } = manifest;
  const dist = { tarball: `${url}/${basename(tarball)}`, integrity, shasum };
  return {
    name,
    "dist-tags": { latest: version },
    versions: { [version]: { ...manifest, dist } },
  };
}
