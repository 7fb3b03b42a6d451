import { multiplyAdd } from "./simd";

// Loops over one row of a matrix, shared by the operations that gather and scatter rows.

/** out = a. */
// @ts-ignore: decorator
@inline
export function copyRow(out: usize, a: usize, width: u32): void {
  for (; width >= 4; width -= 4) {
    v128.store(out, v128.load(a));
    out += 16; a += 16;
  }
  for (; width > 0; width--) {
    store<f32>(out, load<f32>(a));
    out += 4; a += 4;
  }
}

/** out = 0. */
export function clearRow(out: usize, width: u32): void {
  memory.fill(out, 0, <usize>width << 2);
}

/** out = a·b, entry by entry. */
// @ts-ignore: decorator
@inline
export function multiplyRows(out: usize, a: usize, b: usize, width: u32): void {
  for (; width >= 8; width -= 8) {
    v128.store(out, f32x4.mul(v128.load(a), v128.load(b)));
    v128.store(out, f32x4.mul(v128.load(a, 16), v128.load(b, 16)), 16);
    out += 32; a += 32; b += 32;
  }
  for (; width > 0; width--) {
    store<f32>(out, load<f32>(a) * load<f32>(b));
    out += 4; a += 4; b += 4;
  }
}

/** out = a·b·c, entry by entry. */
// @ts-ignore: decorator
@inline
export function multiplyThreeRows(out: usize, a: usize, b: usize, c: usize, width: u32): void {
  for (; width >= 8; width -= 8) {
    v128.store(out, f32x4.mul(f32x4.mul(v128.load(a), v128.load(b)), v128.load(c)));
    v128.store(out, f32x4.mul(f32x4.mul(v128.load(a, 16), v128.load(b, 16)), v128.load(c, 16)), 16);
    out += 32; a += 32; b += 32; c += 32;
  }
  for (; width > 0; width--) {
    store<f32>(out, load<f32>(a) * load<f32>(b) * load<f32>(c));
    out += 4; a += 4; b += 4; c += 4;
  }
}

/** out += a. */
// @ts-ignore: decorator
@inline
export function addRow(out: usize, a: usize, width: u32): void {
  for (; width >= 8; width -= 8) {
    v128.store(out, f32x4.add(v128.load(out), v128.load(a)));
    v128.store(out, f32x4.add(v128.load(out, 16), v128.load(a, 16)), 16);
    out += 32; a += 32;
  }
  for (; width > 0; width--) {
    store<f32>(out, load<f32>(out) + load<f32>(a));
    out += 4; a += 4;
  }
}

/** out += a·b, entry by entry. */
// @ts-ignore: decorator
@inline
export function addProductRow(out: usize, a: usize, b: usize, width: u32): void {
  for (; width >= 8; width -= 8) {
    v128.store(out, multiplyAdd(v128.load(a), v128.load(b), v128.load(out)));
    v128.store(out, multiplyAdd(v128.load(a, 16), v128.load(b, 16), v128.load(out, 16)), 16);
    out += 32; a += 32; b += 32;
  }
  for (; width > 0; width--) {
    store<f32>(out, load<f32>(out) + load<f32>(a) * load<f32>(b));
    out += 4; a += 4; b += 4;
  }
}

/** out += a·b + c·d, entry by entry: one pass over out for two terms. */
// @ts-ignore: decorator
@inline
export function addTwoProductRows(out: usize, a: usize, b: usize, c: usize, d: usize, width: u32): void {
  for (; width >= 8; width -= 8) {
    const first = multiplyAdd(v128.load(a), v128.load(b), v128.load(out));
    const second = multiplyAdd(v128.load(a, 16), v128.load(b, 16), v128.load(out, 16));
    v128.store(out, multiplyAdd(v128.load(c), v128.load(d), first));
    v128.store(out, multiplyAdd(v128.load(c, 16), v128.load(d, 16), second), 16);
    out += 32; a += 32; b += 32; c += 32; d += 32;
  }
  for (; width > 0; width--) {
    store<f32>(out, load<f32>(out) + load<f32>(a) * load<f32>(b) + load<f32>(c) * load<f32>(d));
    out += 4; a += 4; b += 4; c += 4; d += 4;
  }
}

/** out += a·b·c, entry by entry. */
// @ts-ignore: decorator
@inline
export function addTripleProductRow(out: usize, a: usize, b: usize, c: usize, width: u32): void {
  for (; width >= 8; width -= 8) {
    v128.store(out, multiplyAdd(f32x4.mul(v128.load(a), v128.load(b)), v128.load(c), v128.load(out)));
    v128.store(
      out,
      multiplyAdd(f32x4.mul(v128.load(a, 16), v128.load(b, 16)), v128.load(c, 16), v128.load(out, 16)),
      16,
    );
    out += 32; a += 32; b += 32; c += 32;
  }
  for (; width > 0; width--) {
    store<f32>(out, load<f32>(out) + load<f32>(a) * load<f32>(b) * load<f32>(c));
    out += 4; a += 4; b += 4; c += 4;
  }
}

/** out += factor·a. */
// @ts-ignore: decorator
@inline
export function addScaledRow(out: usize, a: usize, factor: f32, width: u32): void {
  const factors = f32x4.splat(factor);
  for (; width >= 8; width -= 8) {
    v128.store(out, multiplyAdd(factors, v128.load(a), v128.load(out)));
    v128.store(out, multiplyAdd(factors, v128.load(a, 16), v128.load(out, 16)), 16);
    out += 32; a += 32;
  }
  for (; width > 0; width--) {
    store<f32>(out, load<f32>(out) + factor * load<f32>(a));
    out += 4; a += 4;
  }
}

/** out += f·a + g·b + h·c + i·d: one pass over out for four terms. */
// @ts-ignore: decorator
@inline
export function addFourScaledRows(
  out: usize, a: usize, f: f32, b: usize, g: f32, c: usize, h: f32, d: usize, i: f32, width: u32,
): void {
  const fs = f32x4.splat(f), gs = f32x4.splat(g), hs = f32x4.splat(h), is = f32x4.splat(i);
  for (; width >= 8; width -= 8) {
    let low = multiplyAdd(fs, v128.load(a), v128.load(out));
    let high = multiplyAdd(fs, v128.load(a, 16), v128.load(out, 16));
    low = multiplyAdd(gs, v128.load(b), low);
    high = multiplyAdd(gs, v128.load(b, 16), high);
    low = multiplyAdd(hs, v128.load(c), low);
    high = multiplyAdd(hs, v128.load(c, 16), high);
    v128.store(out, multiplyAdd(is, v128.load(d), low));
    v128.store(out, multiplyAdd(is, v128.load(d, 16), high), 16);
    out += 32; a += 32; b += 32; c += 32; d += 32;
  }
  for (; width > 0; width--) {
    const sum = load<f32>(out) + f * load<f32>(a) + g * load<f32>(b) + h * load<f32>(c);
    store<f32>(out, sum + i * load<f32>(d));
    out += 4; a += 4; b += 4; c += 4; d += 4;
  }
}
