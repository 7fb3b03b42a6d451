/** The program of worker processes; as source (tests) it ends in .ts, as a package in .js. */
export const workerModule = new URL(
  import.meta.url.endsWith(".ts") ? "./worker.ts" : "./worker.js",
  import.meta.url,
);
