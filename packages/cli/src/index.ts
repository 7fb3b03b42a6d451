export { main } from "./main.ts";
export type { Streams, TextSink } from "./output/output.ts";
