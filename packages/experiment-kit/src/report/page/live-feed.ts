import { decodeCurves } from "../curve-codec.ts";
import type { LiveMessages } from "../report-data.ts";
import { fromBase64 } from "./content.ts";
import type { Model } from "./model.ts";

/** How the page stands with its server. */
export type Connection = "live" | "lost" | "ended";

const RETRY_MS = 1500;

export interface LiveFeedOptions {
  readonly model: Model;
  onConnection(connection: Connection): void;
  onTitle(title: string): void;
}

/** Fills the model from the server's event stream, and connects again whenever the stream breaks. */
export function followServer({ model, onConnection, onTitle }: LiveFeedOptions): void {
  let page: string | undefined;

  const connect = (): void => {
    const source = new EventSource("events");
    const on = <Name extends keyof LiveMessages>(
      name: Name,
      handle: (message: LiveMessages[Name]) => void,
    ): void =>
      source.addEventListener(name, (event) =>
        handle(JSON.parse((event as MessageEvent<string>).data) as LiveMessages[Name]),
      );
    const again = (connection: Connection): void => {
      source.close();
      onConnection(connection);
      setTimeout(connect, RETRY_MS);
    };
    on("hello", (hello) => {
      // Another version of the program serves the page now.
      if (page !== undefined && page !== hello.page) location.reload();
      page = hello.page;
      model.keepOnly(hello.keys);
      onTitle(hello.title);
      onConnection("live");
    });
    on("run", ({ run, curves }) => model.put(run, decodeCurves(fromBase64(curves))));
    on("points", (message) => model.append(message));
    on("gone", ({ key }) => model.remove(key));
    on("bye", () => again("ended"));
    source.addEventListener("error", () => again("lost"));
  };
  connect();
}
