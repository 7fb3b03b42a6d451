import { storeLanes } from "./elementwise";
import { multiplyAdd } from "./simd";
import { real, size, word } from "./tape";
import { shareEnd, shareStart } from "./team";

// Steps of optimizers that leave their operands as they are and write the new state elsewhere.

/** Shares start at multiples of a cache line of floats. */
const LINE: u32 = 16;

/** g = gradient + weightDecay·p; newVelocity = momentum·v + g; newParameters = p - learningRate·newVelocity. */
export function sgdMomentumUpdate(record: usize): void {
  const count = size(record, 0), first = shareStart(count, LINE), offset = <usize>first << 2;
  const momentum = f32x4.splat(real(record, 4)), rate = f32x4.splat(-real(record, 5));
  const decay = f32x4.splat(real(record, 6));
  const gradient = word(record, 7) + offset, velocity = word(record, 8) + offset;
  const parameters = word(record, 9) + offset;
  const newVelocity = word(record, 10) + offset, newParameters = word(record, 11) + offset;
  const bytes = <usize>(shareEnd(count, LINE) - first) << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    const p = v128.load(parameters + at);
    const g = multiplyAdd(decay, p, v128.load(gradient + at));
    const v = multiplyAdd(momentum, v128.load(velocity + at), g);
    storeSome(newVelocity + at, v, bytes - at);
    storeSome(newParameters + at, multiplyAdd(rate, v, p), bytes - at);
  }
}

/**
 * Adam (Kingma, Ba 2015) as PyTorch has it: g = gradient + weightDecay·p; m' = β₁·m + (1 - β₁)·g;
 * s' = β₂·s + (1 - β₂)·g²; p' = p - stepSize·m' / (√s'·rootFactor + ε), with stepSize = learningRate / (1 - β₁^t) and
 * rootFactor = 1 / √(1 - β₂^t) computed by the caller in float64.
 */
export function adamUpdate(record: usize): void {
  const count = size(record, 0), first = shareStart(count, LINE), offset = <usize>first << 2;
  const stepSize = f32x4.splat(-real(record, 4)), rootFactor = f32x4.splat(real(record, 5));
  const beta1 = f32x4.splat(real(record, 6)), rest1 = f32x4.splat(real(record, 7));
  const beta2 = f32x4.splat(real(record, 8)), rest2 = f32x4.splat(real(record, 9));
  const epsilon = f32x4.splat(real(record, 10)), decay = f32x4.splat(real(record, 11));
  const gradient = word(record, 12) + offset, firstMoment = word(record, 13) + offset;
  const secondMoment = word(record, 14) + offset, parameters = word(record, 15) + offset;
  const newFirst = word(record, 16) + offset, newSecond = word(record, 17) + offset;
  const newParameters = word(record, 18) + offset;
  const bytes = <usize>(shareEnd(count, LINE) - first) << 2;
  for (let at: usize = 0; at < bytes; at += 16) {
    const p = v128.load(parameters + at);
    const g = multiplyAdd(decay, p, v128.load(gradient + at));
    const m = multiplyAdd(beta1, v128.load(firstMoment + at), f32x4.mul(rest1, g));
    const s = multiplyAdd(beta2, v128.load(secondMoment + at), f32x4.mul(f32x4.mul(rest2, g), g));
    const root = multiplyAdd(f32x4.sqrt(s), rootFactor, epsilon);
    storeSome(newFirst + at, m, bytes - at);
    storeSome(newSecond + at, s, bytes - at);
    storeSome(newParameters + at, multiplyAdd(stepSize, f32x4.div(m, root), p), bytes - at);
  }
}

// @ts-ignore: decorator
@inline
function storeSome(out: usize, x: v128, bytesLeft: usize): void {
  if (bytesLeft >= 16) v128.store(out, x);
  else storeLanes(out, x, bytesLeft >> 2);
}
