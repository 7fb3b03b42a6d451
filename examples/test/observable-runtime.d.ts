/** What the tests use of Observable's runtime, which has no types of its own. */
declare module "@observablehq/runtime" {
  export interface Observer {
    readonly fulfilled?: (value: never) => void;
    readonly rejected?: (error: unknown) => void;
  }
  export class Runtime {
    constructor(builtins: Readonly<Record<string, unknown>>);
    module(
      define: (runtime: Runtime, observer: (name: string) => Observer) => unknown,
      observer: (name: string) => Observer,
    ): unknown;
    dispose(): void;
  }
}
