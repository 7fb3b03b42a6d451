/**
 * How this program was started, for commands that are printed to be typed next: `npx implicit-rank` where it
 * is installed in a folder only, `npx @implicit-rank/cli` where npx fetched it, else `implicit-rank`.
 */
export function programName(startedAs: string = process.argv[1] ?? ""): string {
  const path = startedAs.replaceAll("\\", "/");
  if (!path.endsWith("/node_modules/.bin/implicit-rank")) return "implicit-rank";
  return path.includes("/_npx/") ? "npx @implicit-rank/cli" : "npx implicit-rank";
}
