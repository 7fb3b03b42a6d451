import { basename, resolve } from "node:path";
import { isUserError } from "../errors.ts";
import { findRunFolders } from "../report/find-run-folders.ts";
import { curveLimit } from "../report/write-report.ts";
import type { LiveMessage } from "./live-message.ts";
import { createRunFeed } from "./run-feed.ts";
import type { RunFeed } from "./run-feed.ts";

/** Follows all runs of a folder (or one run). Its functions must not overlap. */
export interface RunsFeed {
  readonly title: string;
  readonly keys: readonly string[];
  /** What is new since the last poll. */
  poll(): Promise<readonly LiveMessage[]>;
  /** Everything as of the last poll. */
  current(): readonly LiveMessage[];
}

export function createRunsFeed(path: string): RunsFeed {
  const feeds = new Map<string, RunFeed>();
  let made = 0;
  const metrics = new Map<string, number>();
  const limit = (): number => curveLimit([...metrics.values()].reduce((sum, n) => sum + n, 0));
  const currentOf = (feed: RunFeed): readonly LiveMessage[] => {
    const message = feed.current();
    return message === undefined ? [] : [message];
  };

  return {
    title: basename(resolve(path)),
    get keys() {
      return [...feeds.values()].map(({ key }) => key);
    },
    async poll() {
      const messages: LiveMessage[] = [];
      const folders = await foldersNow(path, feeds);
      for (const [folder, { key }] of feeds) {
        if (folders.includes(folder)) continue;
        feeds.delete(folder);
        metrics.delete(key);
        messages.push({ event: "gone", data: { key } });
      }
      for (const folder of folders) {
        let feed = feeds.get(folder);
        if (feed === undefined) {
          feed = createRunFeed(folder, String(made++), limit);
          feeds.set(folder, feed);
        }
        const news = await feed.poll();
        for (const { event, data } of news)
          if (event === "run") metrics.set(data.run.key, data.run.metrics.length);
        messages.push(...news);
      }
      return messages;
    },
    current: () => [...feeds.values()].flatMap(currentOf),
  };
}

/** A folder that cannot be read just now keeps its runs on the page. */
async function foldersNow(
  path: string,
  feeds: ReadonlyMap<string, RunFeed>,
): Promise<readonly string[]> {
  try {
    return await findRunFolders(path);
  } catch (error) {
    if (isUserError(error)) return [...feeds.keys()];
    throw error;
  }
}
