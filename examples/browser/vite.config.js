import { fileURLToPath } from "node:url";
import { viteSingleFile } from "vite-plugin-singlefile";

/**
 * `npm run browser` serves the page; `npm run build` makes it one file without any address in it, examples/dist/browser/
 * index.html, which works from the disk and on every host: browsers load no modules and no workers from the disk, so
 * script, style sheet, worker and kernels all go into the page.
 */
export default {
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "./",
  publicDir: false,
  plugins: [viteSingleFile()],
  // The kernels' threads are for Node only, and what they import is never reached in a browser.
  worker: { rolldownOptions: { external: /^node:/ } },
  build: {
    outDir: "../dist/browser",
    emptyOutDir: true,
    // Of Plot, D3 and what they use, which are in the page.
    license: { fileName: "licenses.md" },
    target: ["chrome123", "firefox120", "safari17.5"],
    rolldownOptions: { external: /^node:/ },
  },
};
