import { size, word } from "./tape";

// The geometry that the records of all convolutions share, in the order of src/operations.ts.

export let batch: u32 = 0;
export let outChannels: u32 = 0;
export let inChannels: u32 = 0;
export let inHeight: i32 = 0;
export let inWidth: i32 = 0;
export let outHeight: i32 = 0;
export let outWidth: i32 = 0;
export let kernelHeight: i32 = 0;
export let kernelWidth: i32 = 0;
export let strideHeight: i32 = 0;
export let strideWidth: i32 = 0;
export let padTop: i32 = 0;
export let padLeft: i32 = 0;
export let dilationHeight: i32 = 0;
export let dilationWidth: i32 = 0;

export function readGeometry(record: usize): void {
  batch = size(record, 0);
  outChannels = size(record, 1);
  inChannels = size(record, 2);
  inHeight = word(record, 4);
  inWidth = word(record, 5);
  outHeight = word(record, 6);
  outWidth = word(record, 7);
  kernelHeight = word(record, 8);
  kernelWidth = word(record, 9);
  strideHeight = word(record, 10);
  strideWidth = word(record, 11);
  padTop = word(record, 12);
  padLeft = word(record, 13);
  dilationHeight = word(record, 14);
  dilationWidth = word(record, 15);
}

/** Multiply-adds, zeros of the padding included. */
export function convolutionWork(record: usize): u64 {
  return <u64>size(record, 0) * size(record, 1) * size(record, 2) *
    word(record, 6) * word(record, 7) * word(record, 8) * word(record, 9);
}

/** The first of the taps start + tap·dilation, tap ≥ 0, that is not negative. */
// @ts-ignore: decorator
@inline
export function firstTap(start: i32, dilation: i32, taps: i32): i32 {
  return start >= 0 ? 0 : min<i32>(taps, (dilation - 1 - start) / dilation);
}

/** The tap after the last one for which start + tap·dilation is below `limit`. */
// @ts-ignore: decorator
@inline
export function endTap(start: i32, dilation: i32, taps: i32, limit: i32): i32 {
  return start >= limit ? 0 : min<i32>(taps, (limit - 1 - start) / dilation + 1);
}
