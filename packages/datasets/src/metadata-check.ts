import { isChecksumIntact } from "@implicit-rank/array-files";
import type { Refuse } from "./error.ts";

/**
 * Refuses metadata of a data set that were altered: they must fit their `checksum`. Files of other programs,
 * and of earlier versions, have none; of these no other keys are taken than those that are known.
 */
export function refuseAlteredMetadata(
  metadata: Readonly<Record<string, string>>,
  known: readonly string[],
  refuse: Refuse,
): void {
  if ("checksum" in metadata) {
    if (isChecksumIntact(metadata)) return;
    throw refuse("checksum", "does not fit the metadata, the file was altered");
  }
  const unknown = Object.keys(metadata).find((key) => !known.includes(key));
  if (unknown !== undefined)
    throw refuse(JSON.stringify(unknown), "is no key of such a data set, the file was altered");
}
