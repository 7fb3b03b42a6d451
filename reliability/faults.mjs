// The fault suite at a larger scale than in `npm test`: ten times, unless RELIABILITY_ROUNDS says otherwise.
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const vitest = fileURLToPath(new URL("vitest.mjs", import.meta.resolve("vitest/package.json")));
const env = { ...process.env, RELIABILITY_ROUNDS: process.env.RELIABILITY_ROUNDS ?? "10" };
const child = spawn(process.execPath, [vitest, "run", ...process.argv.slice(2)], {
  cwd: import.meta.dirname,
  stdio: "inherit",
  env,
});
child.on("exit", (code) => (process.exitCode = code ?? 1));
