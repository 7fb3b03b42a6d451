import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

export interface Result {
  readonly outcome?: string;
  readonly summary?: Readonly<Record<string, unknown>>;
}

/** A run folder with its settings and last metrics, as far as figures of groups read them. */
export function writeResult(
  folder: string,
  settings: Readonly<Record<string, unknown>>,
  metrics: Readonly<Record<string, number | null>>,
  { outcome = "completed", summary = {} }: Result = {},
): string {
  mkdirSync(folder, { recursive: true });
  const tracked = Object.entries(metrics).map(([name, value]) => [name, { value, epoch: 149 }]);
  writeFileSync(join(folder, "config.json"), JSON.stringify(settings));
  writeFileSync(
    join(folder, "summary.json"),
    JSON.stringify({ outcome, last_tracked_values: Object.fromEntries(tracked), ...summary }),
  );
  return folder;
}
