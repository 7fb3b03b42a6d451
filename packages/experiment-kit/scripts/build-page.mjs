// Bundles the page of reports and `watch` (src/report/page) into dist/report/page.js and page.css,
// which are embedded as text in every report.
import { readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
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

// Every report is a copy of D3's scales, whose license wants to go along.
const scales = dirname(dirname(createRequire(import.meta.url).resolve("d3-scale")));
const license = readFileSync(join(scales, "LICENSE"), "utf8").trim();
const script = join(root, "dist", "report", "page.js");
const notice = `/*! Contains d3-scale, d3-scale-chromatic and other parts of D3:\n${license}\n*/\n`;
writeFileSync(script, notice + readFileSync(script, "utf8"));
