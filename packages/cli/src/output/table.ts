export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
}

/** Lines of a table, columns padded to their widest cell and two spaces apart. */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): readonly string[] {
  const titles = columns.map((column) => column.title);
  const widths = titles.map((title, index) =>
    Math.max(title.length, ...rows.map((row) => row[index]!.length)),
  );
  const formatRow = (cells: readonly string[]): string =>
    cells
      .map((cell, index) => pad(cell, widths[index]!, columns[index]!))
      .join("  ")
      .trimEnd();
  return [titles, ...rows].map(formatRow);
}

function pad(cell: string, width: number, column: Column): string {
  return column.align === "right" ? cell.padStart(width) : cell.padEnd(width);
}
