import { KernelArgumentError } from "./errors.ts";
import {
  LARGEST_FACTOR_COUNT,
  operations,
  RECORD_BYTES,
  RECORD_WORDS,
  type Field,
  type Operation,
} from "./operations.ts";

/** A recorded operation. Its sizes, pointers and scalars can be changed between runs. */
export interface OpHandle {
  /**
   * Changes one field, named as in the call that recorded the operation; factors are `values0`, `index0`,
   * `values1`, … Optional pointers are taken away with 0. Throws KernelArgumentError.
   */
  set(field: string, value: number): void;
}

/** A compiled list of operations. */
export interface Program {
  readonly length: number;
  /** Runs all operations in order, on all threads, and returns when they are done. */
  run(): void;
}

export type LossKind = "l2" | "l1" | "huber";

/** Rows `values[index[r], :]`; without an index `values[r, :]`. */
export interface Factor {
  readonly values: number;
  readonly index?: number | undefined;
}

export interface GemmOptions {
  readonly transposeA?: boolean;
  readonly transposeB?: boolean;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly alpha?: number;
  readonly alphaPointer?: number | undefined;
  readonly a: number;
  readonly lda: number;
  readonly b: number;
  readonly ldb: number;
  readonly beta?: number;
  readonly c: number;
  readonly ldc: number;
}

export interface ScatterProductOptions {
  readonly out: number;
  readonly rows: number;
  readonly width: number;
  readonly start: number;
  readonly list?: number | undefined;
  readonly upstream: number;
  readonly factors: readonly Factor[];
}

export interface ScatterScaledOptions {
  readonly out: number;
  readonly rows: number;
  readonly width: number;
  readonly start: number;
  readonly list?: number | undefined;
  readonly scale: number;
  readonly values: number;
  readonly index?: number | undefined;
  readonly alpha?: number;
}

export interface SampledDotOptions {
  readonly out: number;
  readonly count: number;
  readonly width: number;
  readonly left: number;
  readonly leftIndex?: number | undefined;
  readonly right: number;
  readonly rightIndex?: number | undefined;
  readonly weights?: number | undefined;
}

export interface KhatriRaoGradientOptions {
  readonly out: number;
  readonly upstream: number;
  readonly other: number;
  readonly leftRows: number;
  readonly rightRows: number;
  readonly width: number;
}

export interface MatrixOptions {
  readonly out: number;
  readonly a: number;
  readonly rows: number;
  readonly width: number;
}

export interface ResidualOptions {
  readonly prediction: number;
  readonly index?: number | undefined;
  readonly targets: number;
  readonly targetIndex?: number | undefined;
  readonly count: number;
  readonly loss: LossKind;
  readonly threshold?: number;
  readonly gradient: number;
  readonly sums: number;
}

export interface MeasureOptions {
  readonly inputs: number;
  readonly length: number;
  readonly rows: number;
  readonly index?: number | undefined;
  readonly weights: number;
  readonly targets: number;
  readonly loss: LossKind;
  readonly threshold?: number;
  readonly gradient: number;
  readonly sums: number;
  readonly predictions?: number | undefined;
}

export interface ScaleOptions {
  readonly count: number;
  readonly alpha?: number;
  readonly alphaPointer?: number | undefined;
  readonly values: number;
}

export interface MomentumUpdateOptions {
  readonly count: number;
  readonly momentum: number;
  readonly learningRate: number;
  readonly weightDecay?: number;
  readonly gradient: number;
  readonly velocity: number;
  readonly parameters: number;
}

export interface GroupRmsPropOptions {
  readonly squaredNorm: number;
  readonly state: number;
  readonly step: number;
  readonly alpha: number;
  readonly epsilon: number;
  readonly learningRate: number;
}

/**
 * Records operations. Pointers are byte offsets into the runtime's memory, values float32 and matrices
 * row-major unless said otherwise, indices Int32, leading dimensions in elements. Operands of one operation
 * must not overlap its output unless said otherwise; indices are not checked.
 */
export interface ProgramBuilder {
  /** C = alpha · *alphaPointer · op(A) · op(B) + beta · C, with op(A) m × k and op(B) k × n; beta 0 does not read C. */
  gemm(options: GemmOptions): OpHandle;
  /** out = value. */
  fill(options: { out: number; value: number; count: number }): OpHandle;
  /** out = in. */
  copy(options: { out: number; in: number; count: number }): OpHandle;
  /** out (cols × rows) = inᵀ, in being rows × cols. */
  transpose(options: { out: number; in: number; rows: number; cols: number }): OpHandle;
  /** out = a · b, entry by entry; out may be a or b. */
  multiply(options: { out: number; a: number; b: number; count: number }): OpHandle;
  /** out[r, :] = Π_c values_c[index_c[r], :], 1 to 8 factors. */
  gatherProduct(options: {
    out: number;
    rows: number;
    width: number;
    factors: readonly Factor[];
  }): OpHandle;
  /**
   * out[q, :] = Σ over t from start[q] to start[q + 1] - 1 of upstream[i, :] · Π_c values_c[index_c[i], :], i = list[t]
   * (t itself without a list), 0 to 8 factors: the gradient of gatherProduct by one more factor.
   */
  scatterProduct(options: ScatterProductOptions): OpHandle;
  /** out[q, :] = alpha · Σ over t from start[q] to start[q + 1] - 1 of scale[i] · values[index[i], :], i = list[t]. */
  scatterScaled(options: ScatterScaledOptions): OpHandle;
  /** out[s] = Σ_k left[leftIndex[s], k] · right[rightIndex[s], k] · weights[k]. */
  sampledDot(options: SampledDotOptions): OpHandle;
  /** out[i · rightRows + j, :] = left[i, :] · right[j, :]. */
  khatriRao(options: {
    out: number;
    left: number;
    leftRows: number;
    right: number;
    rightRows: number;
    width: number;
  }): OpHandle;
  /** out[i, :] = Σ_j upstream[i · rightRows + j, :] · other[j, :], other being the right operand. */
  khatriRaoGradientLeft(options: KhatriRaoGradientOptions): OpHandle;
  /** out[j, :] = Σ_i upstream[i · rightRows + j, :] · other[i, :], other being the left operand. */
  khatriRaoGradientRight(options: KhatriRaoGradientOptions): OpHandle;
  /** out[r, c] = in[r, c] · scale[c]; out may be in. */
  scaleColumns(options: {
    out: number;
    in: number;
    rows: number;
    width: number;
    scale: number;
  }): OpHandle;
  /** out[c] = Σ_r a[r, c] · b[r, c]. */
  columnDot(options: MatrixOptions & { readonly b: number }): OpHandle;
  /** out[c] = Σ_r a[r, c]. */
  columnSum(options: MatrixOptions): OpHandle;
  /** out[c] = Σ_r a[r, c]². */
  columnSquaredNorms(options: MatrixOptions): OpHandle;
  /** out[r] = Σ_c a[r, c]. */
  rowSum(options: MatrixOptions): OpHandle;
  /** out[r] = Σ_c a[r, c]². */
  rowSquaredNorms(options: MatrixOptions): OpHandle;
  /**
   * Mean loss of p = prediction[index[s]] against t = targets[targetIndex[s]] over `count` samples, d = p - t:
   * gradient[index[s]] = 2d / count (l2), sign(d) / count (l1), or for huber d / threshold / count where |d| < threshold
   * and sign(d) / count elsewhere; other positions of gradient are left as they are, none may be indexed twice.
   * sums (float64): Σ loss (d², |d|, d² / (2 · threshold) or |d| - threshold / 2), Σ d², Σ |p|, max |p|.
   */
  residual(options: ResidualOptions): OpHandle;
  /**
   * residual for p = ⟨inputs[i, :], weights⟩ and t = targets[i], i = index[s], `rows` samples of `length` entries, with
   * gradient = Σ_s dloss/dp · inputs[i, :] in the same pass over the inputs; predictions[s] = p where wanted. With T threads
   * takes T - 1 gradients of scratch from the arena when it is recorded: `length` cannot be raised later.
   */
  measure(options: MeasureOptions): OpHandle;
  /** out (float64) = Σ values², added to out with `accumulate`. */
  squaredNorm(options: {
    values: number;
    count: number;
    out: number;
    accumulate?: boolean;
  }): OpHandle;
  /** out (float64) = Σ a · b, added to out with `accumulate`. */
  dot(options: {
    a: number;
    b: number;
    count: number;
    out: number;
    accumulate?: boolean;
  }): OpHandle;
  /** y += alpha · *alphaPointer · x. */
  axpy(options: {
    count: number;
    alpha?: number;
    alphaPointer?: number | undefined;
    x: number;
    y: number;
  }): OpHandle;
  /** values *= alpha · *alphaPointer. */
  scale(options: ScaleOptions): OpHandle;
  /** g += weightDecay · p; v = momentum · v + g; p -= learningRate · v. */
  momentumUpdate(options: MomentumUpdateOptions): OpHandle;
  /**
   * The scalar part of GroupRMSprop (Li, Luo, Lyu 2021). state (float64) is (v, t), from (0, 0) on:
   * t += 1; v = alpha · v + (1 - alpha) · *squaredNorm (float64);
   * *step (float32) = -learningRate / (√(v / (1 - alpha^t)) + epsilon). axpy or gemm with alphaPointer = step do the rest.
   */
  groupRmsProp(options: GroupRmsPropOptions): OpHandle;
  /** out (float64) = a · aᵀ (rows × rows) when rows ≤ cols, else aᵀ · a (cols × cols). */
  gramFloat64(options: {
    a: number;
    rows: number;
    cols: number;
    lda: number;
    out: number;
  }): OpHandle;
  /** Writes the tape; nothing can be recorded afterwards. */
  compile(): Program;
}

/** What the builder needs of its runtime. */
export interface ProgramHost {
  readonly threads: number;
  readonly buffer: ArrayBufferLike;
  allocate(bytes: number, label: string): number;
  allocateTape(bytes: number): number;
  execute(tape: number, length: number): void;
}

type FieldValues = Readonly<Record<string, number | undefined>>;

const losses: Readonly<Record<LossKind, number>> = { l2: 0, l1: 1, huber: 2 };
const LARGEST_SIZE = 2 ** 31 - 1;

export function createProgramBuilder(host: ProgramHost): ProgramBuilder {
  let records: { readonly view: DataView }[] = [];
  let compiled = false;

  function record(operation: Operation, values: FieldValues): OpHandle {
    if (compiled)
      throw new KernelArgumentError(
        `${operation.name}: the program is compiled; record before compile()`,
      );
    const entry = { view: new DataView(new ArrayBuffer(RECORD_BYTES)) };
    entry.view.setUint32(0, operation.opcode, true);
    for (let word = 1; word <= 3; word++) entry.view.setUint32(4 * word, 1, true);
    for (const [name, value] of Object.entries(values)) {
      if (value !== undefined) write(entry.view, operation, name, value, host);
    }
    for (const [name, field] of Object.entries(operation.fields)) {
      if (field.kind === "pointer" && values[name] === undefined)
        throw new KernelArgumentError(`${operation.name}.${name} is missing; give a pointer`);
    }
    records.push(entry);
    return { set: (name, value) => write(entry.view, operation, name, value, host) };
  }

  function compile(): Program {
    if (compiled) throw new KernelArgumentError("compile: the program is compiled already");
    compiled = true;
    const length = records.length;
    const tape = host.allocateTape(length * RECORD_BYTES);
    records.forEach((entry, position) => {
      const at = tape + position * RECORD_BYTES;
      new Uint32Array(host.buffer, at, RECORD_WORDS).set(new Uint32Array(entry.view.buffer));
      (entry as { view: DataView }).view = new DataView(host.buffer, at, RECORD_BYTES);
    });
    records = [];
    return { length, run: () => host.execute(tape, length) };
  }

  return { ...recorders(record, host), compile };
}

function write(
  view: DataView,
  operation: Operation,
  name: string,
  value: number,
  host: ProgramHost,
): void {
  const field = operation.fields[name];
  if (field === undefined) {
    const names = Object.keys(operation.fields).join(", ");
    throw new KernelArgumentError(`${operation.name} has no field ${name}; it has ${names}`);
  }
  const problem = problemWith(field, value, host.buffer.byteLength);
  if (problem !== undefined)
    throw new KernelArgumentError(`${operation.name}.${name} is ${value}; give ${problem}`);
  const at = 4 * field.word;
  if (field.kind === "single") view.setFloat32(at, value, true);
  else if (field.kind === "double") view.setFloat64(at, value, true);
  else view.setUint32(at, value, true);
}

function problemWith(field: Field, value: number, memoryBytes: number): string | undefined {
  switch (field.kind) {
    case "single":
    case "double":
      return Number.isNaN(value) ? "a number" : undefined;
    case "pointer":
    case "optional":
      if (field.kind === "optional" && value === 0) return undefined;
      return Number.isInteger(value) && value > 0 && value % 4 === 0 && value <= memoryBytes
        ? undefined
        : `a byte offset that allocate() returned, a multiple of 4 below ${memoryBytes}`;
    default:
      return Number.isInteger(value) && value >= 0 && value <= LARGEST_SIZE
        ? undefined
        : "a non-negative whole number below 2^31";
  }
}

type Record_ = (operation: Operation, values: FieldValues) => OpHandle;

function recorders(record: Record_, host: ProgramHost): Omit<ProgramBuilder, "compile"> {
  return {
    gemm: (options) => record(operations.gemm, gemmValues(options)),
    fill: (options) => record(operations.fill, options),
    copy: (options) => record(operations.copy, options),
    transpose: (options) => record(operations.transpose, options),
    multiply: (options) => record(operations.multiply, options),
    gatherProduct: ({ factors, ...rest }) =>
      record(operations.gatherProduct, {
        ...rest,
        ...factorValues("gatherProduct", factors, 1),
      }),
    scatterProduct: ({ factors, ...rest }) =>
      record(operations.scatterProduct, {
        ...rest,
        ...factorValues("scatterProduct", factors, 0),
      }),
    scatterScaled: ({ alpha = 1, ...rest }) => record(operations.scatterScaled, { ...rest, alpha }),
    sampledDot: (options) => record(operations.sampledDot, { ...options }),
    khatriRao: (options) => record(operations.khatriRao, options),
    khatriRaoGradientLeft: (options) => record(operations.khatriRaoGradientLeft, { ...options }),
    khatriRaoGradientRight: (options) => record(operations.khatriRaoGradientRight, { ...options }),
    scaleColumns: (options) => record(operations.scaleColumns, options),
    columnDot: (options) => record(operations.columnDot, { ...options }),
    columnSum: (options) => record(operations.columnSum, { ...options }),
    columnSquaredNorms: (options) => record(operations.columnSquaredNorms, { ...options }),
    rowSum: (options) => record(operations.rowSum, { ...options }),
    rowSquaredNorms: (options) => record(operations.rowSquaredNorms, { ...options }),
    residual: (options) => record(operations.residual, lossValues("residual", options)),
    measure: (options) => {
      const bytes = measureScratchBytes(options.length, host.threads);
      const partialGradients =
        bytes === 0 ? 0 : host.allocate(bytes, "the gradients of measure's threads");
      return record(operations.measure, { ...lossValues("measure", options), partialGradients });
    },
    squaredNorm: ({ accumulate = false, ...rest }) =>
      record(operations.squaredNorm, { ...rest, accumulate: Number(accumulate) }),
    dot: ({ accumulate = false, ...rest }) =>
      record(operations.dot, { ...rest, accumulate: Number(accumulate) }),
    axpy: ({ alpha = 1, ...rest }) => record(operations.axpy, { ...rest, alpha }),
    scale: ({ alpha = 1, ...rest }) => record(operations.scale, { ...rest, alpha }),
    momentumUpdate: ({ weightDecay = 0, ...rest }) =>
      record(operations.momentumUpdate, { ...rest, weightDecay }),
    groupRmsProp: (options) => record(operations.groupRmsProp, { ...options }),
    gramFloat64: (options) => record(operations.gramFloat64, options),
  };
}

/** The bytes that recording `measure` takes from the arena. */
export function measureScratchBytes(length: number, threads: number): number {
  return (threads - 1) * length * 4;
}

function gemmValues(options: GemmOptions): FieldValues {
  const { transposeA = false, transposeB = false, alpha = 1, beta = 0, ...rest } = options;
  const { m, n, k, lda, ldb, ldc } = options;
  requireStride("lda", lda, transposeA ? m : k);
  requireStride("ldb", ldb, transposeB ? k : n);
  requireStride("ldc", ldc, n);
  return { ...rest, alpha, beta, transpositions: Number(transposeA) + 2 * Number(transposeB) };
}

function requireStride(name: string, stride: number, columns: number): void {
  if (stride < columns)
    throw new KernelArgumentError(`gemm.${name} is ${stride}; give at least ${columns}`);
}

function factorValues(
  operation: string,
  factors: readonly Factor[],
  fewest: number,
): Record<string, number | undefined> {
  if (factors.length < fewest || factors.length > LARGEST_FACTOR_COUNT) {
    throw new KernelArgumentError(
      `${operation}.factors has ${factors.length} entries; give ${fewest} to ${LARGEST_FACTOR_COUNT}`,
    );
  }
  const values: Record<string, number | undefined> = { factorCount: factors.length };
  factors.forEach((factor, position) => {
    values[`values${position}`] = factor.values;
    values[`index${position}`] = factor.index;
  });
  return values;
}

function lossValues(
  operation: string,
  options: ResidualOptions | MeasureOptions,
): Record<string, number | undefined> {
  const { loss, threshold, ...rest } = options;
  if (loss === "huber" && !(threshold !== undefined && threshold > 0)) {
    throw new KernelArgumentError(
      `${operation}.threshold is ${threshold}; give a positive number for huber`,
    );
  }
  return { ...rest, loss: losses[loss], threshold: threshold ?? 1 };
}
