import { runsInNode } from "./features.ts";

/** Bytes that the system can still give, or undefined where it does not say. */
export async function availableMemory(): Promise<number | undefined> {
  if (!runsInNode()) return undefined;
  const available = (process as { availableMemory?: () => number }).availableMemory?.();
  if (available !== undefined && available > 0) return available;
  const { freemem } = await import("node:os");
  return freemem();
}

/** Processor cores that this process may use, or undefined where the system does not say. */
export async function availableCores(): Promise<number | undefined> {
  if (!runsInNode()) return undefined;
  const { availableParallelism } = await import("node:os");
  return availableParallelism();
}
