/** Milliseconds per call of `step`, over at least `seconds`, after `warmUp` calls. */
export function timePerStep(
  step: () => void,
  seconds: number,
  warmUp = 20,
): { milliseconds: number; steps: number } {
  for (let i = 0; i < warmUp; i++) step();
  let steps = 0;
  const start = performance.now();
  let elapsed = 0;
  while (elapsed < seconds * 1000) {
    step();
    steps += 1;
    elapsed = performance.now() - start;
  }
  return { milliseconds: elapsed / steps, steps };
}

/** A table in Markdown. */
export function markdownTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(header), line(header.map(() => "---")), ...rows.map(line)].join("\n");
}
