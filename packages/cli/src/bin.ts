import { main } from "./main.ts";

for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // `implicit-rank runs list | head` closes the pipe early: what was wanted has been printed.
    if (error.code === "EPIPE") return;
    if (stream === process.stdout) {
      process.stderr.write(
        `error: the output cannot be written (${error.code}); free some space\n`,
      );
    }
    process.exit(1);
  });
}

process.exitCode = await main(process.argv.slice(2));
