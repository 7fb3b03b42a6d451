import { readFileSync } from "node:fs";
import { arch, cpus, hostname, platform, release } from "node:os";

/** The version of this package. */
export function kitVersion(): string {
  const manifest = JSON.parse(
    readFileSync(new URL("../../package.json", import.meta.url), "utf8"),
  ) as { version: string };
  return manifest.version;
}

/** The machine and the software that a run ran on. */
export function environment() {
  return {
    versions: {
      "experiment-kit": kitVersion(),
      node: process.versions.node,
      v8: process.versions.v8,
    },
    platform: `${platform()} ${release()} ${arch()}`,
    cpu: cpus()[0]?.model ?? "unknown",
    host: hostname(),
  };
}
