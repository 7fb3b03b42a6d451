// Runs command lines one after another in one process, which saves the start of a process for each of
// hundreds. The programs `implicit-rank` and `npx` that the pages' shells find are clients of this one
// (command-lines.ts, which starts this with the folder for outputs as its argument).
import { writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { main } from "@implicit-rank/cli";
import { checkCommandLine, refusal } from "./check-command-line.ts";

/** What a client sends: how it was called, where, whether to run or to check only, and the arguments. */
interface Request {
  readonly startedAs: string;
  readonly folder: string;
  readonly mode: string;
  readonly args: readonly string[];
}

const outputs = process.argv[2]!;
const writers = {
  stdout: process.stdout.write.bind(process.stdout),
  stderr: process.stderr.write.bind(process.stderr),
};
let answered = 0;
let queue = Promise.resolve();

const server = createServer((socket) => {
  let received = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    received += text;
    const request = readRequest(received);
    if (request !== undefined) queue = queue.then(() => answer(request, socket));
  });
  // A pipe into `head` may end before its writer has been answered.
  socket.on("error", () => socket.destroy());
});
server.listen(0, "127.0.0.1", () => process.send?.(server.address()));
process.on("disconnect", () => process.exit());

/** The fields end in NUL; the first is the number of those after it. */
function readRequest(text: string): Request | undefined {
  const fields = text.split("\0").slice(0, -1);
  if (fields.length === 0 || fields.length <= Number(fields[0])) return undefined;
  const [, startedAs, folder, mode, ...args] = fields as [string, string, string, string];
  return { startedAs, folder, mode, args };
}

async function answer(request: Request, socket: Socket): Promise<void> {
  const lines: string[] = [];
  for (const [name, descriptor] of [["stdout", 1] as const, ["stderr", 2] as const]) {
    process[name].write = (text: string | Uint8Array) => {
      lines.push(`printf %s '${String(text).replaceAll("'", "'\\''")}' >&${descriptor}\n`);
      return true;
    };
  }
  const code = await run(request);
  for (const name of ["stdout", "stderr"] as const) process[name].write = writers[name];
  const script = join(outputs, String(answered++));
  writeFileSync(script, lines.join(""));
  socket.end(`${code} ${script}\n`);
}

async function run({ startedAs, folder, mode, args }: Request): Promise<number> {
  process.chdir(folder);
  // What a command prints to be typed again is made of these.
  process.argv = [process.execPath, startedAs, ...args];
  if (mode !== "check") return main(args);
  try {
    await checkCommandLine(args);
    return 0;
  } catch (error) {
    process.stderr.write(`${refusal}${(error as Error).message}\n`);
    return 2;
  }
}
