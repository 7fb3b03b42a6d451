/** A change as its file in .changeset/ describes it. */
export interface Change {
  /** Packages without their scope. */
  readonly packages: readonly string[];
  readonly summary: string;
}

const unreleased = "## Unreleased\n";

/** Whether a version has its heading already. */
export function isReleased(changelog: string, version: string): boolean {
  return changelog.includes(`\n## ${version} `);
}

/**
 * The changelog with a heading for a version, under which comes what was unreleased and then the changes.
 *
 * @param date as YYYY-MM-DD
 * @throws Error if there is no heading "Unreleased"
 */
export function withRelease(
  changelog: string,
  version: string,
  date: string,
  changes: readonly Change[],
): string {
  const [before, after] = changelog.split(unreleased);
  if (after === undefined) throw new Error('CHANGELOG.md: must have the heading "## Unreleased"');
  const next = after.indexOf("\n## ");
  const [noted, earlier] = next < 0 ? [after, ""] : [after.slice(0, next), after.slice(next)];
  const entries = changes.map(({ packages, summary }) => {
    const names = packages.map((name) => `\`${name}\``).join(", ");
    return `- ${names}: ${summary.trim().replaceAll("\n", "\n  ")}`;
  });
  const changed = entries.length > 0 ? `### Changed\n\n${entries.join("\n")}\n` : "";
  const sections = [noted.trim(), changed.trim()].filter((section) => section !== "");
  return `${before}${unreleased}\n## ${version} - ${date}\n\n${sections.join("\n\n")}\n${earlier}`;
}
