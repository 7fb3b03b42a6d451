import type { BundleSize, PackageSize } from "./package-sizes.ts";

const begin = "<!-- sizes: made by npm run sizes -->";
const end = "<!-- end of sizes -->";

/** The page with its tables made anew. */
export function withSizes(
  page: string,
  packages: ReadonlyMap<string, PackageSize>,
  bundles: ReadonlyMap<string, BundleSize>,
): string {
  const [before, rest] = page.split(begin);
  const [, after] = (rest ?? "").split(end);
  if (after === undefined) throw new Error(`docs/packages.md: must have "${begin}" and "${end}"`);
  const tables = [
    table(
      ["package", "packed, kB", "unpacked, kB", "files"],
      [...packages].map(([name, size]) => [
        name,
        kilobytes(size.packed),
        kilobytes(size.unpacked),
        String(size.files),
      ]),
    ),
    table(
      ["everything of", "minified, kB", "gzipped, kB"],
      [...bundles].map(([name, size]) => [name, kilobytes(size.minified), kilobytes(size.gzipped)]),
    ),
  ];
  return `${before}${begin}\n\n${tables.join("\n\n")}\n\n${end}${after}`;
}

/** The numbers of the two tables, by what their rows begin with. */
export function readSizes(page: string): Record<"packages" | "bundles", Map<string, number[]>> {
  const tables = page.slice(page.indexOf(begin), page.indexOf(end)).split("| everything of");
  const [packages, bundles] = tables.map((table) => {
    const rows = [...table.matchAll(/^\| `(.+?)`(.*)\|$/gm)];
    return new Map(rows.map(([, name, cells]) => [name!, cells!.split("|").slice(1).map(Number)]));
  });
  return { packages: packages!, bundles: bundles! };
}

export function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}

/** As Prettier lays tables out, names left and numbers right. */
function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [header, ...rows.map(([name, ...numbers]) => [`\`${name}\``, ...numbers])];
  const widths = header.map((_, column) => Math.max(...cells.map((row) => row[column]!.length)));
  const lines = cells.map((row) => {
    const padded = row.map((cell, column) =>
      column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!),
    );
    return `| ${padded.join(" | ")} |`;
  });
  const rule = widths.map((width, column) =>
    column === 0 ? "-".repeat(width) : `${"-".repeat(width - 1)}:`,
  );
  return [lines[0], `| ${rule.join(" | ")} |`, ...lines.slice(1)].join("\n");
}
