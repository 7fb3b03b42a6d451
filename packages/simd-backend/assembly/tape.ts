// One operation is a record of 32 words: word 0 the opcode, words 1–3 the sizes whose product is the work,
// then the fields in the order of src/operations.ts. Absent pointers are 0.

export const RECORD_BYTES: usize = 128;

// @ts-ignore: decorator
@inline
export function size(record: usize, position: usize): u32 {
  return load<u32>(record + 4 + position * 4);
}

// @ts-ignore: decorator
@inline
export function word(record: usize, position: usize): u32 {
  return load<u32>(record + position * 4);
}

// @ts-ignore: decorator
@inline
export function real(record: usize, position: usize): f32 {
  return load<f32>(record + position * 4);
}

// @ts-ignore: decorator
@inline
export function double(record: usize, position: usize): f64 {
  return load<f64>(record + position * 4);
}

/** entry of an optional Int32 index; without one, the position itself. */
// @ts-ignore: decorator
@inline
export function indexed(index: usize, position: u32): u32 {
  return index == 0 ? position : load<u32>(index + (<usize>position << 2));
}

/** A scalar times the scalar behind an optional pointer. */
// @ts-ignore: decorator
@inline
export function scaled(factor: f32, pointer: usize): f32 {
  return pointer == 0 ? factor : factor * load<f32>(pointer);
}
