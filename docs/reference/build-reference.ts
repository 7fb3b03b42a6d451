// Writes api/ from the sources of the packages. Whatever TypeDoc complains about is a failure.
import { join } from "node:path";
import { publicEntries } from "./public-entries.ts";
import { writeReference } from "./write-reference.ts";

const problems = await writeReference(publicEntries(), join(import.meta.dirname, "../api"));
if (problems > 0) {
  console.error(`The API reference has ${problems} problems: see the lines above.`);
  process.exitCode = 1;
}
