import { convolution, convolutionInputGradient } from "./convolution";
import { convolutionFilterGradient } from "./convolution-filter-gradient";
import { convolutionWork } from "./convolution-record";
import { gemm } from "./gemm";
import { executeLayer } from "./layers";
import { residual } from "./losses";
import { columnDot, columnSquaredNorms, columnSum, rowSquaredNorms, rowSum, scaleColumns, transpose } from "./matrices";
import { measure } from "./measurements";
import {
  gatherProduct, khatriRao, khatriRaoGradientLeft, khatriRaoGradientRight, sampledDot, scatterProduct, scatterScaled,
} from "./products";
import { multiplyAdd, sumLanes } from "./simd";
import { gramFloat64 } from "./spectra";
import { RECORD_BYTES, size, word } from "./tape";
import {
  announce, announcedLength, announcedTape, awaitTicket, configureThread, dismiss, formTeam, meetAll, sharedWork,
  threadCount, threadIndex,
} from "./team";
import { axpy, copy, dot, fill, groupRmsProp, momentumUpdate, multiply, scale, squaredNorm } from "./vectors";

export { symmetricEigenvalues } from "./spectra";
export { configureThread as configure, dismiss };

// Opcodes, in the order of src/operations.ts.
const SCATTER_PRODUCT: u32 = 7;
const SCATTER_SCALED: u32 = 8;
const CONVOLUTION: u32 = 28;
const CONVOLUTION_INPUT_GRADIENT: u32 = 29;
const CONVOLUTION_FILTER_GRADIENT: u32 = 30;

/**
 * Runs a tape; called by the first thread. The others are called in for the stretch from the first shared
 * operation to the last one: they never look at the tape after this call has returned.
 */
export function run(tape: usize, length: u32): void {
  let first = length, end: u32 = 0;
  if (threadCount > 1) {
    for (let position: u32 = 0; position < length; position++) {
      if (!isShared(tape + position * RECORD_BYTES)) continue;
      first = min<u32>(first, position);
      end = position + 1;
    }
  }
  runAlone(tape, 0, first);
  if (first == length) return;
  announce(tape + first * RECORD_BYTES, end - first);
  runTogether(tape + first * RECORD_BYTES, end - first);
  runAlone(tape, end, length);
}

/** The life of the other threads. */
export function serve(): void {
  let ticket = awaitTicket(0);
  while (ticket >= 0) {
    runTogether(announcedTape(), announcedLength());
    ticket = awaitTicket(ticket);
  }
}

function runAlone(tape: usize, first: u32, end: u32): void {
  formTeam(1);
  for (let position = first; position < end; position++) execute(tape + position * RECORD_BYTES);
}

/** Threads meet before and after a shared operation; what lies between two meetings is the first thread's alone. */
function runTogether(tape: usize, length: u32): void {
  let pending = false;
  for (let position: u32 = 0; position < length; position++) {
    const record = tape + position * RECORD_BYTES;
    if (isShared(record)) {
      if (pending) meetAll();
      pending = false;
      formTeam(threadCount);
      execute(record);
      meetAll();
    } else {
      pending = true;
      if (threadIndex == 0) {
        formTeam(1);
        execute(record);
      }
    }
  }
}

// @ts-ignore: decorator
@inline
function isShared(record: usize): bool {
  return workOf(record) >= sharedWork;
}

function workOf(record: usize): u64 {
  const opcode = load<u32>(record);
  if (opcode == SCATTER_PRODUCT || opcode == SCATTER_SCALED) {
    const rows = <usize>size(record, 0);
    return (<u64>load<u32>(word(record, 5) + (rows << 2)) + rows) * size(record, 1);
  }
  if (opcode >= CONVOLUTION && opcode <= CONVOLUTION_FILTER_GRADIENT) return convolutionWork(record);
  return <u64>size(record, 0) * size(record, 1) * size(record, 2);
}

function execute(record: usize): void {
  switch (load<u32>(record)) {
    case 1: gemm(record); break;
    case 2: fill(record); break;
    case 3: copy(record); break;
    case 4: transpose(record); break;
    case 5: multiply(record); break;
    case 6: gatherProduct(record); break;
    case SCATTER_PRODUCT: scatterProduct(record); break;
    case SCATTER_SCALED: scatterScaled(record); break;
    case 9: sampledDot(record); break;
    case 10: khatriRao(record); break;
    case 11: khatriRaoGradientLeft(record); break;
    case 12: khatriRaoGradientRight(record); break;
    case 13: scaleColumns(record); break;
    case 14: columnDot(record); break;
    case 15: columnSum(record); break;
    case 16: columnSquaredNorms(record); break;
    case 17: rowSum(record); break;
    case 18: rowSquaredNorms(record); break;
    case 19: residual(record); break;
    case 20: measure(record); break;
    case 21: squaredNorm(record); break;
    case 22: dot(record); break;
    case 23: axpy(record); break;
    case 24: scale(record); break;
    case 25: momentumUpdate(record); break;
    case 26: groupRmsProp(record); break;
    case 27: gramFloat64(record); break;
    case CONVOLUTION: convolution(record); break;
    case CONVOLUTION_INPUT_GRADIENT: convolutionInputGradient(record); break;
    case CONVOLUTION_FILTER_GRADIENT: convolutionFilterGradient(record); break;
    default: executeLayer(record);
  }
}

/** 12 four-lane multiply-adds per turn on registers alone: the peak of one thread. */
export function multiplyAddLoop(turns: u32, x: f32, y: f32): f32 {
  const a = f32x4.splat(x), b = f32x4.splat(y);
  let s0 = a, s1 = a, s2 = a, s3 = a, s4 = a, s5 = a, s6 = a, s7 = a, s8 = a, s9 = a, s10 = a, s11 = a;
  for (; turns > 0; turns--) {
    s0 = multiplyAdd(s0, a, b);
    s1 = multiplyAdd(s1, a, b);
    s2 = multiplyAdd(s2, a, b);
    s3 = multiplyAdd(s3, a, b);
    s4 = multiplyAdd(s4, a, b);
    s5 = multiplyAdd(s5, a, b);
    s6 = multiplyAdd(s6, a, b);
    s7 = multiplyAdd(s7, a, b);
    s8 = multiplyAdd(s8, a, b);
    s9 = multiplyAdd(s9, a, b);
    s10 = multiplyAdd(s10, a, b);
    s11 = multiplyAdd(s11, a, b);
  }
  const low = f32x4.add(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)), f32x4.add(s4, s5));
  const high = f32x4.add(f32x4.add(f32x4.add(s6, s7), f32x4.add(s8, s9)), f32x4.add(s10, s11));
  return sumLanes(f32x4.add(low, high));
}
