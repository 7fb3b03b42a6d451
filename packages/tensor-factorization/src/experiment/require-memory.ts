import { availableMemory } from "node:process";
import { FactorizationError } from "../errors.ts";
import { parameterCount, parameterLayout } from "../model/parameter-layout.ts";
import type { FactorizationSpec } from "../model/types.ts";
import type { TrainingFlags } from "./flags.ts";

/** What 32-bit WebAssembly can address. */
const kernelMemory = 2 ** 32;

/**
 * Refuses a factorization whose parameters and their gradient alone do not fit, before any of them is
 * drawn; what a step needs beyond that is checked when it is compiled.
 *
 * @throws FactorizationError (exit code 1) with the bytes needed and available.
 */
export function requireMemory(spec: FactorizationSpec, { engine }: TrainingFlags): void {
  const parameters = parameterCount(parameterLayout(spec));
  const needed = 8 * parameters;
  const free = availableMemory();
  const available = engine === "fused" ? Math.min(kernelMemory, free) : free;
  if (needed <= available) return;
  throw new FactorizationError(
    `memory: ${parameters} parameters and their gradient need ${needed} bytes, but ${available} are available${available === kernelMemory ? " to WebAssembly; use smaller sizes or --engine plain" : "; use smaller sizes"}`,
    1,
  );
}
