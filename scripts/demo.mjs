// Builds the command line and runs its demo: small data, all three factorizations, a table of what was seen.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { requirePinnedNode } from "./pinned-node.mjs";

requirePinnedNode("npm run demo");
const root = dirname(dirname(fileURLToPath(import.meta.url)));

console.log("Building …");
build();
const demo = join(root, "packages", "cli", "bin", "implicit-rank.js");
const result = spawnSync(process.execPath, [demo, "demo", ...process.argv.slice(2)], {
  cwd: root,
  stdio: ["ignore", "inherit", "inherit"],
});
process.exitCode = result.status ?? 1;

function build() {
  const nx = join(root, "node_modules", "nx", "dist", "bin", "nx.js");
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [nx, "run", "@implicit-rank/cli:build", "--output-style=static"],
    {
      cwd: root,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NX_DAEMON: "false", NX_NO_CLOUD: "true", NX_TUI: "false", CI: "true" },
    },
  );
  if (status === 0) return;
  console.error(`${stdout}${stderr}`);
  console.error("The build failed: see the lines above.");
  process.exit(1);
}
