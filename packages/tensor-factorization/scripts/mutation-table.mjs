// The mutation score of each folder of src/ as a table in Markdown, from Stryker's JSON report:
// the part of all mutants, but for static ones, that a test noticed (failed on, or did not get through).
import { readFileSync } from "node:fs";

const report = JSON.parse(
  readFileSync(new URL("../reports/mutation/mutation.json", import.meta.url), "utf8"),
);

/** @type {Map<string, { Killed: number, Timeout: number, Survived: number, NoCoverage: number, Ignored: number }>} */
const folders = new Map();
const none = { Killed: 0, Timeout: 0, Survived: 0, NoCoverage: 0, Ignored: 0 };
const total = { ...none };
for (const [file, { mutants }] of Object.entries(report.files).sort()) {
  const folder = file.replace(/^src\//, "").replace(/\/?[^/]*$/, "") || "src";
  const counts = folders.get(folder) ?? { ...none };
  folders.set(folder, counts);
  for (const { status } of mutants) {
    counts[status] += 1;
    total[status] += 1;
  }
}

/** @param {string} name @param {typeof none} counts */
function row(name, { Killed, Timeout, Survived, NoCoverage, Ignored }) {
  const noticed = Killed + Timeout;
  const all = noticed + Survived + NoCoverage;
  const score = all === 0 ? "–" : `${((100 * noticed) / all).toFixed(1)} %`;
  return `| ${[name, all, Killed, Timeout, Survived, NoCoverage, Ignored, score].join(" | ")} |`;
}

console.log("| folder | mutants | killed | timeout | survived | not reached | static | score |");
console.log("| --- | --: | --: | --: | --: | --: | --: | --: |");
for (const [name, counts] of folders) console.log(row(name, counts));
console.log(row("**all**", total));
