import { stat } from "node:fs/promises";
import {
  type FactorizationDataset,
  readFactorizationDataset,
  saveFactorizationDataset,
} from "@implicit-rank/datasets";
import { formatBytes } from "../output/quantities.ts";
import type { Output } from "../output/output.ts";
import { programName } from "../output/program-name.ts";
import { shellWord } from "../output/shell-word.ts";

/** What is worth telling of a new data set besides its sizes: names in snake case for --json. */
export interface DatasetFacts {
  readonly values: Readonly<Record<string, unknown>>;
  readonly lines: readonly string[];
}

/**
 * Writes a new data set, reads it back (which checks every byte by its hash) and says where it is and
 * what to type next.
 */
export async function saveAndDescribe(
  dataset: FactorizationDataset,
  place: { readonly folder: string; readonly name: string; readonly asked: number },
  facts: DatasetFacts,
  output: Output,
): Promise<void> {
  const path = await saveFactorizationDataset(place.folder, place.name, dataset);
  const { contentHash } = await readFactorizationDataset(path);
  const { size: bytes } = await stat(path);
  const { kind, task, modeSizes, samples } = dataset;
  const next = nextCommands(kind, path);
  if (samples < place.asked) {
    output.note(
      `--num_samples: ${place.asked} asked for; the target has ${samples} entries, all of which are observed`,
    );
  }
  const value = {
    path,
    bytes,
    sha256: contentHash,
    kind,
    task,
    mode_sizes: modeSizes,
    samples,
    seed: seedOf(dataset),
    ...facts.values,
    next,
  };
  const lines = [
    path,
    `  ${samples} samples of a ${modeSizes.join(" × ")} ${kind} (${task}), seed ${seedOf(dataset)}`,
    ...facts.lines.map((line) => `  ${line}`),
    `  ${formatBytes(bytes)}, content sha256 ${contentHash}`,
    ...next.map((command, index) => `${index === 0 ? "Next:" : "  or:"} ${command}`),
  ];
  output.result(value, lines, path);
}

function nextCommands(kind: "matrix" | "tensor", path: string): readonly string[] {
  const models = kind === "matrix" ? ["mf"] : ["cp", "ht"];
  return models.map((model) => `${programName()} train ${model} --dataset_path ${shellWord(path)}`);
}

function seedOf(dataset: FactorizationDataset): number {
  const { flags } = dataset.provenance as { flags?: { random_seed?: number } };
  return Number(flags?.random_seed);
}
