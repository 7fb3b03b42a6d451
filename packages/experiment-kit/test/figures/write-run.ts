import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A folder with a metrics.jsonl of one metric per name, each a function of the epoch; no run made it. */
export function writeRun(
  folder: string,
  epochs: readonly number[],
  metrics: Readonly<Record<string, (epoch: number) => number | null>>,
): string {
  mkdirSync(folder, { recursive: true });
  const lines = epochs.map((epoch) => {
    const values = Object.entries(metrics).map(([name, value]) => [name, value(epoch)]);
    return JSON.stringify({ epoch, time: epoch / 100, ...Object.fromEntries(values) });
  });
  writeFileSync(join(folder, "metrics.jsonl"), `${lines.join("\n")}\n`);
  writeFileSync(join(folder, "config.json"), "{}");
  return folder;
}

/** 24, 49, 74, …: the validation epochs of a cadence of 25. */
export const cadence = (count: number): readonly number[] =>
  Array.from({ length: count }, (_, i) => 25 * i + 24);
