// Loaded into a program with --import: the time of day jumps by hours, again and again.
const offset = Number(process.env["CLOCK_OFFSET_HOURS"] ?? 0);
const jump = Number(process.env["CLOCK_JUMP_HOURS"] ?? 0);
const standsAt = process.env["CLOCK_STANDS_AT"];
const HOUR = 3_600_000;
/** Every so many looks at the clock it jumps, back and forth. */
const LOOKS = 3;

const RealDate = globalThis.Date;
let looks = 0;
function now(): number {
  if (standsAt !== undefined) return Number(standsAt);
  const isJumped = Math.floor(looks++ / LOOKS) % 2 === 1;
  return RealDate.now() + (offset + (isJumped ? jump : 0)) * HOUR;
}

globalThis.Date = new Proxy(RealDate, {
  construct: (target, args: unknown[]) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args) as object,
  apply: () => new RealDate(now()).toString(),
  get: (target, name) => (name === "now" ? now : (Reflect.get(target, name) as unknown)),
});
