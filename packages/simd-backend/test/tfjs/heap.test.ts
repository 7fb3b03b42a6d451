import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createHeap } from "../../src/tfjs/heap.ts";

const START = 4096;

describe("heap", () => {
  test("hands out the block freed last for the same size", () => {
    const heap = createHeap(START, 1 << 20);
    const [first, second] = [heap.allocate(1000)!, heap.allocate(1000)!];
    heap.free(first, 1000);
    heap.free(second, 1000);
    expect(heap.allocate(1000)).toBe(second);
    expect(heap.allocate(960)).not.toBe(first);
    expect(heap.allocate(1000)).toBe(first);
  });

  test("long blocks of equal size start at different cache sets", () => {
    const heap = createHeap(START, 1 << 20);
    const offsets = [1, 2, 3].map(() => heap.allocate(8192)! % 4096);
    expect(new Set(offsets).size).toBe(3);
  });

  test("merges neighbors when a longer block is wanted than any that is free", () => {
    const heap = createHeap(START, 10 * 1024);
    const blocks = Array.from({ length: 10 }, () => heap.allocate(1024)!);
    expect(heap.allocate(64)).toBeUndefined();
    for (const block of blocks.slice(2, 6)) heap.free(block, 1024);
    expect(heap.largestFree()).toBe(4096);
    expect(heap.allocate(4000)).toBe(blocks[2]);
    expect(heap.allocate(64)).toBe(blocks[2]! + 4032);
    expect(heap.allocate(64)).toBeUndefined();
  });

  test("repeated steps take memory from where they took it before", () => {
    const heap = createHeap(START, 1 << 24);
    const step = (): number[] => {
      const kept = [5000, 300, 70000, 300, 900].map((bytes) => [heap.allocate(bytes)!, bytes]);
      const passing = [300, 64, 70000].map((bytes) => {
        const pointer = heap.allocate(bytes)!;
        heap.free(pointer, bytes);
        return pointer;
      });
      for (const [pointer, bytes] of kept) heap.free(pointer!, bytes!);
      return [...kept.map(([pointer]) => pointer!), ...passing].sort((a, b) => a - b);
    };
    const first = step();
    for (let i = 0; i < 20; i++) expect(step()).toEqual(first);
  });

  test("changing sizes do not spread over more than three times what is taken at once", () => {
    const heap = createHeap(START, 1 << 24);
    let highest = 0;
    for (let bytes = 64; bytes < 100_000; bytes += 64) {
      const pointer = heap.allocate(bytes)!;
      highest = Math.max(highest, pointer + bytes);
      heap.free(pointer, bytes);
    }
    expect(highest - START).toBeLessThanOrEqual(3 * 101_000);
  });

  test("live blocks never overlap, and all of it can be had again once they are freed", () => {
    const sizes = fc.oneof(fc.constantFrom(64, 256, 1024), fc.integer({ min: 0, max: 3000 }));
    const steps = fc.array(fc.tuple(sizes, fc.nat({ max: 3 }), fc.nat()), { maxLength: 200 });
    const capacity = 33 * 1024;
    fc.assert(
      fc.property(steps, (list) => {
        const heap = createHeap(START, capacity);
        const live: { pointer: number; bytes: number }[] = [];
        for (const [bytes, action, pick] of list) {
          if (action === 0 && live.length > 0) {
            const [block] = live.splice(pick % live.length, 1);
            heap.free(block!.pointer, block!.bytes);
            continue;
          }
          const pointer = heap.allocate(bytes);
          if (pointer === undefined) continue;
          expect(pointer % 64).toBe(0);
          expect(pointer).toBeGreaterThanOrEqual(START);
          expect(pointer + bytes).toBeLessThanOrEqual(START + capacity);
          for (const other of live) {
            const apart =
              pointer + Math.max(bytes, 1) <= other.pointer ||
              other.pointer + Math.max(other.bytes, 1) <= pointer;
            expect(apart).toBe(true);
          }
          live.push({ pointer, bytes });
        }
        for (const { pointer, bytes } of live) heap.free(pointer, bytes);
        expect(heap.used).toBe(0);
        expect(heap.largestFree()).toBe(capacity);
        expect(heap.allocate(capacity)).toBe(START);
      }),
      { numRuns: 200 },
    );
  });
});
