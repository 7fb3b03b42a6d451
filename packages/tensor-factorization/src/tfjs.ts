export { forward } from "./engines/tfjs/forward.ts";
export { assignParameters, parameterTensors } from "./engines/tfjs/parameters.ts";
export { tfjsEngine } from "./engines/tfjs/tfjs-engine.ts";
