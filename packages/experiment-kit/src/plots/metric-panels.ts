import type { RunRecord } from "../run-folder/config-file.ts";
import type { MetricHistory } from "../run-folder/metrics-reader.ts";
import type { LinePanel } from "./line-panel.ts";
import { chooseYScale } from "./y-scale.ts";

/** The metrics of a run by tag, in the order train, validation, extra. */
export function metricsByTag(
  metrics: RunRecord["metrics"],
): ReadonlyMap<string, readonly string[]> {
  const tags = new Map<string, string[]>();
  const all: readonly { name: string; tag?: string | undefined }[] = [
    ...metrics.train,
    ...metrics.validation,
    ...metrics.extra,
  ];
  for (const { name, tag = name } of all) tags.set(tag, [...(tags.get(tag) ?? []), name]);
  return tags;
}

/** A panel for every tag that has recorded values. */
export function metricPanels(
  metrics: RunRecord["metrics"],
  history: MetricHistory,
): readonly LinePanel[] {
  return [...metricsByTag(metrics)].flatMap(([tag, names]) => {
    const series = names.flatMap((name) => {
      const recorded = history.series.get(name);
      return recorded === undefined || !recorded.values.some(Number.isFinite)
        ? []
        : [{ label: name, x: recorded.epochs, y: recorded.values }];
    });
    if (series.length === 0) return [];
    return [
      { title: tag, xLabel: "epoch", yLabel: tag, yScale: chooseYScale(tag, series), series },
    ];
  });
}

/** A file name for every tag: lower case, blanks and what file systems dislike as `_`, no two alike. */
export function plotFileNames(tags: readonly string[]): readonly string[] {
  const used = new Set<string>();
  return tags.map((tag) => {
    const base = tag
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}._+-]/gu, "_")
      .replace(/^\./, "_")
      .slice(0, 100);
    let name = base;
    for (let i = 2; used.has(name); i++) name = `${base}_${i}`;
    used.add(name);
    return name;
  });
}
