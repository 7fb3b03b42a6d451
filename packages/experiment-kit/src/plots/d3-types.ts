import type { BaseType, ScaleContinuousNumeric, Selection } from "d3";
import type * as d3Module from "d3";

export type D3 = typeof d3Module;
// Node has no DOM types; d3's own name for "some element" is precise enough here.
export type Group = Selection<BaseType, unknown, null, undefined>;
export type Scale = ScaleContinuousNumeric<number, number>;
