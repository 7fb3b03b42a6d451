// The threads of one runtime. Each has its own instance of this module on the same memory, walks the
// same tape, and does a share of every operation that depends on sizes and thread count alone.

// Control words, one cache line each (the layout is known to src/memory-layout.ts).
const ARRIVED: usize = 64;
const GENERATION: usize = 128;
const TEAM_SLEEPERS: usize = 192;
const TICKET: usize = 256;
const TICKET_SLEEPERS: usize = 320;
const TAPE: usize = 384;
const TAPE_LENGTH: usize = 388;
const QUIT: usize = 392;
const FAILED: usize = 396;

/** f64 partial results that all threads share: SEGMENTS × 4. */
export const PARTIALS: usize = 1024;
/** Long reductions are cut into this many pieces, whatever the thread count: the bits do not depend on it. */
export const SEGMENTS: u32 = 32;

const SPINS: i32 = 4000;
const TICKET_SPINS: i32 = 40000;

export let threadIndex: u32 = 0;
export let threadCount: u32 = 1;
/** This thread's own working memory (packed panels, tiles). */
export let scratch: usize = 0;
/** An operation with less work than this (the product of its sizes) is done by the first thread alone. */
export let sharedWork: u64 = 0;

/** Which share of the current operation this thread does: all of it when only the first thread works. */
let member: u32 = 0;
export let members: u32 = 1;

export function configureThread(index: u32, count: u32, ownScratch: usize, leastSharedWork: u32): void {
  threadIndex = index;
  threadCount = count;
  scratch = ownScratch;
  sharedWork = leastSharedWork;
}

export function formTeam(size: u32): void {
  members = size;
  member = size > 1 ? threadIndex : 0;
}

// @ts-ignore: decorator
@inline
export function leads(): bool {
  return member == 0;
}

// @ts-ignore: decorator
@inline
export function memberIndex(): u32 {
  return member;
}

/** Start of this thread's share of `total` items, in multiples of `granule`; the end is the next thread's start. */
export function shareStart(total: u32, granule: u32): u32 {
  return boundary(total, granule, member);
}

export function shareEnd(total: u32, granule: u32): u32 {
  return boundary(total, granule, member + 1);
}

function boundary(total: u32, granule: u32, index: u32): u32 {
  if (members == 1) return index == 0 ? 0 : total;
  const granules = (total + granule - 1) / granule;
  return min<u32>(total, <u32>((<u64>granules * index) / members) * granule);
}

/** Returns when every thread of the team of the current operation is here. */
export function meet(): void {
  if (members > 1) meetAll();
}

/** Returns when every thread of the runtime is here: spins briefly, then sleeps. */
export function meetAll(): void {
  const generation = atomic.load<i32>(GENERATION);
  if (atomic.add<i32>(ARRIVED, 1) == <i32>threadCount - 1) {
    atomic.store<i32>(ARRIVED, 0);
    atomic.add<i32>(GENERATION, 1);
    if (atomic.load<i32>(TEAM_SLEEPERS) > 0) atomic.notify(GENERATION, -1);
    return;
  }
  waitWhile(GENERATION, generation, TEAM_SLEEPERS, SPINS);
}

/** Between looks at whether another thread has failed, in nanoseconds. */
const PATIENCE: i64 = 100_000_000;

function waitWhile(address: usize, value: i32, sleepers: usize, spins: i32): void {
  for (let spin = 0; spin < spins; spin++) {
    if (atomic.load<i32>(address) != value) return;
  }
  atomic.add<i32>(sleepers, 1);
  while (atomic.load<i32>(address) == value) {
    if (atomic.load<i32>(FAILED) != 0) unreachable();
    atomic.wait<i32>(address, value, PATIENCE);
  }
  atomic.sub<i32>(sleepers, 1);
}

/** Hands a tape to the waiting threads. */
export function announce(tape: usize, length: u32): void {
  store<u32>(TAPE, tape);
  store<u32>(TAPE_LENGTH, length);
  wakeThreads();
}

/** Tells the waiting threads to end. */
export function dismiss(): void {
  store<u32>(QUIT, 1);
  wakeThreads();
}

function wakeThreads(): void {
  atomic.add<i32>(TICKET, 1);
  if (atomic.load<i32>(TICKET_SLEEPERS) > 0) atomic.notify(TICKET, -1);
}

/** Waits for the ticket after `seen`; the new ticket, or -1 when the runtime is being disposed of. */
export function awaitTicket(seen: i32): i32 {
  waitWhile(TICKET, seen, TICKET_SLEEPERS, TICKET_SPINS);
  return load<u32>(QUIT) != 0 ? -1 : atomic.load<i32>(TICKET);
}

export function announcedTape(): usize {
  return load<u32>(TAPE);
}

export function announcedLength(): u32 {
  return load<u32>(TAPE_LENGTH);
}
