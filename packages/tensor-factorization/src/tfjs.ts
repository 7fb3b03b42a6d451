/**
 * The factorizations as computations of TensorFlow.js: differentiable, on any backend, inside other
 * models.
 *
 * ```ts
 * import { forward } from "@implicit-rank/tensor-factorization/tfjs";
 * ```
 *
 * @module
 */

export { forward } from "./engines/tfjs/forward.ts";
export { assignParameters, parameterTensors } from "./engines/tfjs/parameters.ts";
export { tfjsEngine } from "./engines/tfjs/tfjs-engine.ts";
