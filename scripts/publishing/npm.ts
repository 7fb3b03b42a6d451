import { execFile } from "node:child_process";
import { promisify } from "node:util";

export const run = promisify(execFile);

/** Runs npm as a user would: without what an enclosing `npm test` says of this workspace. */
export function npm(
  cwd: string,
  args: readonly string[],
  settings: Readonly<Record<string, string>> = {},
): Promise<{ stdout: string; stderr: string }> {
  const options = { cwd, env: npmEnvironment(settings), maxBuffer: 64 * 1024 * 1024 };
  const npmCli = process.env["npm_execpath"];
  return npmCli?.endsWith(".js")
    ? run(process.execPath, [npmCli, ...args], options)
    : run("npm", [...args], { ...options, shell: process.platform === "win32" });
}

/** The environment of a user's shell: ours without what npm says in it of this workspace. */
export function npmEnvironment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const ofWorkspace =
    /^npm_(package|lifecycle|command)|^npm_config_(local_prefix|workspace)|^INIT_CWD$/;
  const own = Object.entries(process.env).filter(([name]) => !ofWorkspace.test(name));
  return { ...Object.fromEntries(own), ...settings };
}
