// Bundles the page of reports and `watch` (src/report/page) into dist/report/page.js and page.css,
// which are embedded as text in every report.
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "vite";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

await build({
  root,
  configFile: false,
  logLevel: "warn",
  publicDir: false,
  define: { "process.env.NODE_ENV": JSON.stringify("production") },
  build: {
    outDir: join(root, "dist", "report"),
    emptyOutDir: false,
    target: ["chrome100", "firefox113", "safari16.4"],
    minify: true,
    lib: {
      entry: join(root, "src", "report", "page", "main.ts"),
      formats: ["iife"],
      name: "implicitRankReport",
      fileName: () => "page.js",
      cssFileName: "page",
    },
  },
});
