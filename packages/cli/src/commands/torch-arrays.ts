import {
  type ArrayFile,
  isTorchDictionary,
  type NamedArray,
  torchStateDict,
  type TorchValue,
} from "@implicit-rank/array-files";
import {
  parameterNameFromTorch,
  torchFactorizationKind,
} from "@implicit-rank/tensor-factorization";
import { UsageError } from "../errors.ts";

/**
 * The parameters (and running statistics) of a model in a file of torch.save. Those of the three factorizations
 * have their names here; others keep theirs, and all keep PyTorch's layout.
 *
 * @throws ArrayFileError if there is no model; UsageError for a name that a file cannot hold
 */
export function torchArrays(content: TorchValue, path: string): ArrayFile {
  const state = torchStateDict(content, path);
  const isFactorization = torchFactorizationKind(state.keys()) !== undefined;
  const arrays = Array.from(state, ([name, array]): [string, NamedArray] => {
    if (name === "__metadata__")
      throw new UsageError(`${path}: ${name}: cannot name an array; rename the parameter`);
    return [isFactorization ? parameterNameFromTorch(name) : name, array];
  });
  const epoch = isTorchDictionary(content) ? content.get("epoch") : undefined;
  return {
    arrays: Object.fromEntries(arrays),
    metadata: { source: "PyTorch", ...(typeof epoch === "number" ? { epoch: String(epoch) } : {}) },
  };
}
