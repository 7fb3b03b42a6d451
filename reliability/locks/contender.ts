// A process that takes the lock of a folder when it is told to, and says whether it got it.
import { lockRun, type RunLock } from "@implicit-rank/experiment-kit";

export type Order = { readonly take: string } | { readonly release: true };
export type Reply =
  { readonly got: boolean; readonly message: string } | { readonly released: true };

let lock: RunLock | undefined;

process.on("message", (order: Order) => {
  void obey(order).then((reply) => process.send!(reply));
});

async function obey(order: Order): Promise<Reply> {
  if ("release" in order) {
    await lock?.release();
    lock = undefined;
    return { released: true };
  }
  try {
    lock = await lockRun(order.take);
    return { got: true, message: "" };
  } catch (error) {
    return { got: false, message: (error as Error).message };
  }
}
