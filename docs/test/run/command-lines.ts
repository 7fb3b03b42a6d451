import { fork } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, writeFile } from "node:fs/promises";
import { delimiter, dirname, join } from "node:path";
import { root } from "../document/find-documents.ts";

/** `implicit-rank` and `npx` for shells, answered by one process. */
export interface CommandLines {
  /** Environment for a shell that has them. */
  environment(mode: Mode): NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/** Run in the server, check only, or run in a process of its own, which can be sent signals. */
export type Mode = "run" | "check" | "process";

/**
 * Starts the process and makes the two programs.
 *
 * @param folder an empty folder for them and for outputs
 * @param images a folder with MNIST files, the commands' $FIXTURES
 */
export async function startCommandLines(folder: string, images: string): Promise<CommandLines> {
  const programs = join(folder, "programs");
  await mkdir(programs, { recursive: true });
  await writeProgram(join(programs, "implicit-rank"), client);
  await writeProgram(join(programs, "npx"), npx);
  for (const name of argumentMakers)
    await writeProgram(
      join(programs, name),
      `#!/bin/bash\nPATH="$DOCUMENTS_PATH"\nexec ${name} "$@"\n`,
    );
  const shared = {
    ...process.env,
    // Workers of sweeps and programs in documents load the same modules again and again.
    NODE_COMPILE_CACHE: join(folder, "..", "compile-cache"),
    FORCE_COLOR: "0",
  };
  const server = fork(join(root, "docs/test/run/command-server.ts"), [folder], {
    cwd: folder,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    env: shared,
  });
  const [address] = (await once(server, "message")) as [{ port: number }];
  return {
    environment: (mode) => ({
      ...shared,
      // Checking runs nothing: a shell without other programs cannot do harm.
      PATH: mode === "check" ? programs : [programs, node, process.env["PATH"]].join(delimiter),
      DOCUMENTS_PATH: process.env["PATH"],
      DOCUMENTS_PORT: String(address.port),
      DOCUMENTS_MODE: mode,
      REPOSITORY: root,
      FIXTURES: images,
    }),
    async close() {
      const end = once(server, "exit");
      server.disconnect();
      await end;
    },
  };
}

async function writeProgram(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await chmod(path, 0o755);
}

/** Harmless programs that make arguments, for shells that check only. */
const argumentMakers = ["ls", "paste"];
const node = dirname(process.execPath);
const bin = join(root, "packages/cli/bin/implicit-rank.js");
/** As npm links it; what is printed to be typed next begins with npx then. */
const installed = join(root, "node_modules/.bin/implicit-rank");

/** Sends how it was called, its folder and its arguments; gets its exit code and a script that prints. */
const client = `#!/bin/bash
if [ "$DOCUMENTS_MODE" = process ]; then exec "${process.execPath}" "\${STARTED_AS:-${bin}}" "$@"; fi
exec 3<>"/dev/tcp/127.0.0.1/$DOCUMENTS_PORT"
printf '%s\\0' $(($# + 3)) "\${STARTED_AS:-implicit-rank}" "$PWD" "$DOCUMENTS_MODE" "$@" >&3
read -r code script <&3
source "$script"
exit "$code"
`;

const npx = `#!/bin/bash
case "$1" in
  implicit-rank) shift ;;
  *) echo "npx $1: is not known to the documents' test" >&2; exit 1 ;;
esac
STARTED_AS="${installed}" exec implicit-rank "$@"
`;
