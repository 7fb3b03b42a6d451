import type { NamedArray } from "./array-file.ts";
import { damagedFile } from "./error.ts";
import { quoted } from "./json-object.ts";
import type { TorchKey, TorchValue } from "./torch-pickle.ts";

/** A dictionary in a file of torch.save. */
export type TorchDictionary = ReadonlyMap<TorchKey, TorchValue>;

/** What `Optimizer.state_dict()` of PyTorch holds. */
export interface TorchOptimizer {
  /** Settings (lr, momentum, …) by name, and the numbers of the parameters they are for. */
  readonly groups: readonly {
    readonly settings: ReadonlyMap<string, TorchValue>;
    readonly parameters: readonly number[];
  }[];
  /** State by the number of the parameter; some optimizers keep state of their own under names. */
  readonly state: TorchDictionary;
}

const DATA_PARALLEL = "module.";

/** Whether a value of a `.pt` file is a tensor. */
export function isTorchTensor(value: TorchValue | undefined): value is NamedArray {
  return typeof value === "object" && value !== null && "shape" in value && "data" in value;
}

/** Whether a value of a `.pt` file is a dictionary. */
export function isTorchDictionary(value: TorchValue | undefined): value is TorchDictionary {
  return value instanceof Map;
}

/**
 * The tensors of a state dictionary by name: of the dictionary itself, or of the one at the key `model` or
 * `state_dict` of a checkpoint. The prefix `module.` that data-parallel training puts before all names is
 * removed.
 *
 * @param source the file, for messages
 * @throws ArrayFileError (exit code 1) if there is no state dictionary
 */
export function torchStateDict(value: TorchValue, source: string): ReadonlyMap<string, NamedArray> {
  const damaged = damagedFile(source, "give a state dictionary or a checkpoint with one");
  const outer = isTorchDictionary(value) ? value : undefined;
  const place = ["model", "state_dict"].find((key) => isTorchDictionary(outer?.get(key)));
  const field = place ?? "content";
  const state = place === undefined ? outer : (outer!.get(place) as TorchDictionary);
  if (state === undefined || state.size === 0) throw damaged(field, "is no state dictionary");
  const tensors = new Map<string, NamedArray>();
  const isParallel = [...state.keys()].every((key) => String(key).startsWith(DATA_PARALLEL));
  for (const [key, tensor] of state) {
    if (typeof key !== "string" || !isTorchTensor(tensor)) {
      throw damaged(field, `${quoted(String(key))} is no named tensor`);
    }
    tensors.set(isParallel ? key.slice(DATA_PARALLEL.length) : key, tensor);
  }
  return tensors;
}

/**
 * Takes the state dictionary of an optimizer apart.
 *
 * @param source the file, for messages
 * @throws ArrayFileError (exit code 1) if it is none
 */
export function torchOptimizer(value: TorchValue | undefined, source: string): TorchOptimizer {
  const damaged = damagedFile(source, "give a checkpoint with the state of its optimizer");
  const state = isTorchDictionary(value) ? value.get("state") : undefined;
  const groups = isTorchDictionary(value) ? value.get("param_groups") : undefined;
  if (!isTorchDictionary(state) || !Array.isArray(groups) || groups.length === 0) {
    throw damaged("optimizer", "is not the state of an optimizer");
  }
  return {
    state,
    groups: (groups as readonly TorchValue[]).map((group, g) => {
      const parameters = isTorchDictionary(group) ? group.get("params") : undefined;
      if (!isTorchDictionary(group) || !isListOfIndices(parameters)) {
        throw damaged(`optimizer.param_groups[${g}]`, "is no group of parameters");
      }
      const settings = [...group].filter(([key]) => typeof key === "string" && key !== "params");
      return { settings: new Map(settings as [string, TorchValue][]), parameters };
    }),
  };
}

function isListOfIndices(value: TorchValue | undefined): value is readonly number[] {
  return (
    Array.isArray(value) &&
    (value as readonly TorchValue[]).every(
      (index) => typeof index === "number" && Number.isSafeInteger(index) && index >= 0,
    )
  );
}
