#!/usr/bin/env node
import { main } from "./main.ts";

// `implicit-rank runs list | head` closes the pipe early: what was wanted has been printed.
for (const stream of [process.stdout, process.stderr]) {
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EPIPE") throw error;
  });
}

process.exitCode = await main(process.argv.slice(2));
