import type { LiveMessages } from "../report/report-data.ts";

/** An event for the live pages. */
export type LiveMessage = {
  [Name in keyof LiveMessages]: { readonly event: Name; readonly data: LiveMessages[Name] };
}[keyof LiveMessages];

/** As it is written to an event stream. */
export function toEventText({ event, data }: LiveMessage): string {
  // JSON has no line breaks outside of texts, where they are escaped, so the data is one line.
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}
