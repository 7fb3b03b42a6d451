// In the workflow that publishes: writes into each package.json which repository it is in, which the proof of
// origin (provenance) must name. It is not known before, and a fork has another.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readPublishedManifests, root, scope } from "./published-packages.ts";

const { GITHUB_SERVER_URL: server, GITHUB_REPOSITORY: repository } = process.env;
if (!server || !repository) {
  console.error("GITHUB_SERVER_URL and GITHUB_REPOSITORY: must be set, as GitHub's workflows do");
  process.exit(2);
}
const folder = process.argv[2] ?? root;
const url = `${server}/${repository}`;

for (const { name } of await readPublishedManifests()) {
  const directory = `packages/${name.slice(scope.length)}`;
  const path = join(folder, directory, "package.json");
  const manifest = JSON.parse(await readFile(path, "utf8"));
  const added = {
    repository: { type: "git", url: `git+${url}.git`, directory },
    homepage: `${url}/tree/main/${directory}#readme`,
    bugs: `${url}/issues`,
  };
  await writeFile(path, `${JSON.stringify({ ...manifest, ...added }, null, 2)}\n`);
}
