import { indexed, real, size, word } from "./tape";
import { leads, meet, PARTIALS, SEGMENTS, shareEnd, shareStart } from "./team";
import { segmentLength } from "./vectors";

// Losses averaged over samples: their derivative by the prediction, and four float64 sums for the metrics:
// the loss, the squared error, |prediction|, and the largest |prediction|. d is prediction - target.

const ABSOLUTE: u32 = 1;
const HUBER: u32 = 2;

// Sums of the piece at hand.
let lossSum: f64 = 0;
let squareSum: f64 = 0;
let magnitudeSum: f64 = 0;
let largest: f64 = 0;

export function clearSums(): void {
  lossSum = 0;
  squareSum = 0;
  magnitudeSum = 0;
  largest = 0;
}

export function storeSums(target: usize): void {
  store<f64>(target, lossSum);
  store<f64>(target, squareSum, 8);
  store<f64>(target, magnitudeSum, 16);
  store<f64>(target, largest, 24);
}

function addSums(source: usize): void {
  lossSum += load<f64>(source);
  squareSum += load<f64>(source, 8);
  magnitudeSum += load<f64>(source, 16);
  largest = max<f64>(largest, load<f64>(source, 24));
}

/** Adds one sample to the sums; its derivative of the mean loss. inverse = 1 / count. */
// @ts-ignore: decorator
@inline
export function addSample(kind: u32, threshold: f64, inverse: f64, prediction: f32, target: f32): f32 {
  const p = <f64>prediction, d = p - <f64>target;
  const square = d * d, magnitude = abs(d);
  squareSum += square;
  magnitudeSum += abs(p);
  largest = max<f64>(largest, abs(p));
  if (kind == HUBER && magnitude < threshold) {
    lossSum += square / (2 * threshold);
    return <f32>((d / threshold) * inverse);
  }
  if (kind == HUBER || kind == ABSOLUTE) {
    lossSum += kind == HUBER ? magnitude - 0.5 * threshold : magnitude;
    // 0 for d = 0, NaN for NaN.
    return d == 0 ? 0 : <f32>((d / magnitude) * inverse);
  }
  lossSum += square;
  return <f32>(2 * d * inverse);
}

export function residual(record: usize): void {
  const count = size(record, 0), kind = word(record, 4), threshold = <f64>real(record, 5);
  const prediction = word(record, 6), index = word(record, 7);
  const targets = word(record, 8), targetIndex = word(record, 9);
  const gradient = word(record, 10), sums = word(record, 11);
  const inverse = 1 / <f64>count, step = segmentLength(count);
  const lastSegment = shareEnd(SEGMENTS, 1);
  for (let segment = shareStart(SEGMENTS, 1); segment < lastSegment; segment++) {
    clearSums();
    const end = min<u32>(count, (segment + 1) * step);
    for (let sample = segment * step; sample < end; sample++) {
      const position = <usize>indexed(index, sample) << 2;
      const target = load<f32>(targets + (<usize>indexed(targetIndex, sample) << 2));
      store<f32>(gradient + position, addSample(kind, threshold, inverse, load<f32>(prediction + position), target));
    }
    storeSums(PARTIALS + segment * 32);
  }
  meet();
  if (leads()) combineSums(SEGMENTS, sums);
}

export function combineSums(pieces: u32, target: usize): void {
  clearSums();
  for (let piece: u32 = 0; piece < pieces; piece++) addSums(PARTIALS + piece * 32);
  storeSums(target);
}
