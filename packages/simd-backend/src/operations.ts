import {
  double,
  operation,
  optional,
  pointer,
  single,
  size,
  stride,
  type Field,
} from "./operation-fields.ts";

// The records of the tape: which field is at which word. Words 1–3 are sizes (1 where an operation has
// fewer), in the order in which assembly/ reads them.

export const RECORD_WORDS = 32;
export const RECORD_BYTES = RECORD_WORDS * 4;
export const LARGEST_FACTOR_COUNT = 8;

const factorFields: Record<string, Field> = {};
for (let factor = 0; factor < LARGEST_FACTOR_COUNT; factor++) {
  factorFields[`values${factor}`] = optional(8 + 2 * factor);
  factorFields[`index${factor}`] = optional(9 + 2 * factor);
}

const matrixSizes = { rows: size(1), width: size(2) };
const khatriRaoSizes = { leftRows: size(1), rightRows: size(2), width: size(3) };
const lossFields = { loss: { word: 4, kind: "loss" }, threshold: single(5) } as const;

export const operations = {
  gemm: operation("gemm", 1, {
    m: size(1),
    n: size(2),
    k: size(3),
    transpositions: { word: 4, kind: "switch" },
    alpha: single(5),
    alphaPointer: optional(6),
    a: pointer(7),
    lda: stride(8),
    b: pointer(9),
    ldb: stride(10),
    beta: single(11),
    c: pointer(12),
    ldc: stride(13),
  }),
  fill: operation("fill", 2, { count: size(1), out: pointer(4), value: single(5) }),
  copy: operation("copy", 3, { count: size(1), out: pointer(4), in: pointer(5) }),
  transpose: operation("transpose", 4, {
    rows: size(1),
    cols: size(2),
    out: pointer(4),
    in: pointer(5),
  }),
  multiply: operation("multiply", 5, {
    count: size(1),
    out: pointer(4),
    a: pointer(5),
    b: pointer(6),
  }),
  gatherProduct: operation("gatherProduct", 6, {
    ...matrixSizes,
    factorCount: size(3),
    out: pointer(4),
    ...factorFields,
  }),
  scatterProduct: operation("scatterProduct", 7, {
    ...matrixSizes,
    factorCount: size(3),
    out: pointer(4),
    start: pointer(5),
    list: optional(6),
    upstream: pointer(7),
    ...factorFields,
  }),
  scatterScaled: operation("scatterScaled", 8, {
    ...matrixSizes,
    out: pointer(4),
    start: pointer(5),
    list: optional(6),
    scale: pointer(7),
    values: pointer(8),
    index: optional(9),
    alpha: single(10),
  }),
  sampledDot: operation("sampledDot", 9, {
    count: size(1),
    width: size(2),
    out: pointer(4),
    left: pointer(5),
    leftIndex: optional(6),
    right: pointer(7),
    rightIndex: optional(8),
    weights: optional(9),
  }),
  khatriRao: operation("khatriRao", 10, {
    ...khatriRaoSizes,
    out: pointer(4),
    left: pointer(5),
    right: pointer(6),
  }),
  khatriRaoGradientLeft: operation("khatriRaoGradientLeft", 11, {
    ...khatriRaoSizes,
    out: pointer(4),
    upstream: pointer(5),
    other: pointer(6),
  }),
  khatriRaoGradientRight: operation("khatriRaoGradientRight", 12, {
    ...khatriRaoSizes,
    out: pointer(4),
    upstream: pointer(5),
    other: pointer(6),
  }),
  scaleColumns: operation("scaleColumns", 13, {
    ...matrixSizes,
    out: pointer(4),
    in: pointer(5),
    scale: pointer(6),
  }),
  columnDot: operation("columnDot", 14, {
    ...matrixSizes,
    out: pointer(4),
    a: pointer(5),
    b: pointer(6),
  }),
  columnSum: operation("columnSum", 15, { ...matrixSizes, out: pointer(4), a: pointer(5) }),
  columnSquaredNorms: operation("columnSquaredNorms", 16, {
    ...matrixSizes,
    out: pointer(4),
    a: pointer(5),
  }),
  rowSum: operation("rowSum", 17, { ...matrixSizes, out: pointer(4), a: pointer(5) }),
  rowSquaredNorms: operation("rowSquaredNorms", 18, {
    ...matrixSizes,
    out: pointer(4),
    a: pointer(5),
  }),
  residual: operation("residual", 19, {
    count: size(1),
    ...lossFields,
    prediction: pointer(6),
    index: optional(7),
    targets: pointer(8),
    targetIndex: optional(9),
    gradient: pointer(10),
    sums: pointer(11),
  }),
  measure: operation("measure", 20, {
    rows: size(1),
    length: size(2),
    ...lossFields,
    inputs: pointer(6),
    index: optional(7),
    weights: pointer(8),
    targets: pointer(9),
    gradient: pointer(10),
    sums: pointer(11),
    predictions: optional(12),
    partialGradients: optional(13),
  }),
  squaredNorm: operation("squaredNorm", 21, {
    count: size(1),
    values: pointer(4),
    out: pointer(5),
    accumulate: { word: 6, kind: "switch" },
  }),
  dot: operation("dot", 22, {
    count: size(1),
    a: pointer(4),
    b: pointer(5),
    out: pointer(6),
    accumulate: { word: 7, kind: "switch" },
  }),
  axpy: operation("axpy", 23, {
    count: size(1),
    alpha: single(4),
    alphaPointer: optional(5),
    x: pointer(6),
    y: pointer(7),
  }),
  scale: operation("scale", 24, {
    count: size(1),
    alpha: single(4),
    alphaPointer: optional(5),
    values: pointer(6),
  }),
  momentumUpdate: operation("momentumUpdate", 25, {
    count: size(1),
    momentum: single(4),
    learningRate: single(5),
    weightDecay: single(6),
    gradient: pointer(7),
    velocity: pointer(8),
    parameters: pointer(9),
  }),
  groupRmsProp: operation("groupRmsProp", 26, {
    squaredNorm: pointer(4),
    state: pointer(5),
    step: pointer(6),
    alpha: double(8),
    epsilon: double(10),
    learningRate: double(12),
  }),
  gramFloat64: operation("gramFloat64", 27, {
    rows: size(1),
    cols: size(2),
    a: pointer(4),
    lda: stride(5),
    out: pointer(6),
  }),
} as const;
