import { cuts } from "./cuts.ts";
import { factorizations } from "./factorizations.ts";
import { growthOfRank } from "./growth-of-rank.ts";
import { growthSpeed } from "./growth-speed.ts";
import { imagePatches } from "./image-patches.ts";
import { localComponent } from "./local-component.ts";
import { modeTreeOfOrderFive, modeTreesOfOrderEight, modeTreesOfOrderFour } from "./mode-trees.ts";
import { networkAsTree } from "./network-as-tree.ts";
import { swappedPatch } from "./swapped-patch.ts";

/** All pictures by name: the same bytes whenever they are drawn. */
export async function drawPictures(): Promise<ReadonlyMap<string, string>> {
  return new Map([
    ["growth-speed", growthSpeed()],
    ["growth-of-rank", await growthOfRank()],
    ["factorizations", factorizations()],
    ["mode-trees-4", modeTreesOfOrderFour()],
    ["mode-tree-5", modeTreeOfOrderFive()],
    ["mode-trees-8", modeTreesOfOrderEight()],
    ["local-component", localComponent()],
    ["image-patches", imagePatches()],
    ["cuts", cuts()],
    ["network-as-tree", networkAsTree()],
    ["swapped-patch", swappedPatch()],
  ]);
}
