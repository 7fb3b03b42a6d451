import { resolve } from "node:path";
import { openBatches, preloadBatches, readIsSameDataset } from "@implicit-rank/datasets";
import type {
  ImageBatches,
  IsSameSetRequest,
  PathfinderSetRequest,
} from "@implicit-rank/locality-bias/experiment";

/** Pairs of images on canvases, in the layout of tfjs. */
export async function loadIsSame(request: IsSameSetRequest): Promise<ImageBatches> {
  const { path, distance, height, width, samples, use, preload } = request;
  const usualFolder = async () => `data/${(await readIsSameDataset(path)).source}`;
  const folder = resolve(request.sourceDir === "" ? await usualFolder() : request.sourceDir);
  const source = { kind: "is-same", path, folder, distance, height, width, samples, use } as const;
  const open = preload ? preloadBatches : openBatches;
  const batches = await open({ ...source, layout: "nhwc" }, orderOf(request));
  return { ...batches, sourceDir: folder };
}

/** One split of a pathfinder set. */
export function loadPathfinder(request: PathfinderSetRequest): Promise<ImageBatches> {
  const { path, split, samples } = request;
  return openBatches(
    { kind: "pathfinder", path, split, samples, layout: "nhwc" },
    orderOf(request),
  );
}

function orderOf({ batchSize, seed }: { readonly batchSize: number; readonly seed?: number }) {
  return { batchSize, ...(seed === undefined ? {} : { seed }) };
}
