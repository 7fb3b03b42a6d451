export { main } from "./main.ts";
export type { Streams } from "./output/output.ts";
