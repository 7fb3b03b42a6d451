import type { ConvolutionOperations } from "./convolution-program.ts";
import type { LayerOperations } from "./layer-program.ts";

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

/** The loss of a difference: see `residual`. */
export type LossKind = "l2" | "l1" | "huber";

/** Rows `values[index[r], :]`; without an index `values[r, :]`. */
export interface Factor {
  readonly values: number;
  readonly index?: number | undefined;
}

/** Of `gemm`: sizes, and pointers to matrices with their leading dimensions. */
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

/** Of `scatterProduct`: `start` has rows + 1 entries. */
export interface ScatterProductOptions {
  readonly out: number;
  readonly rows: number;
  readonly width: number;
  readonly start: number;
  readonly list?: number | undefined;
  readonly upstream: number;
  readonly factors: readonly Factor[];
}

/** Of `scatterScaled`: `start` has rows + 1 entries. */
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

/**
 * Of `sampledDot`: rows of `width` values; without indices sample s takes row s, without weights they are 1.
 */
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

/** Of `khatriRaoGradientLeft` and `khatriRaoGradientRight`. */
export interface KhatriRaoGradientOptions {
  readonly out: number;
  readonly upstream: number;
  readonly other: number;
  readonly leftRows: number;
  readonly rightRows: number;
  readonly width: number;
}

/** Of the sums over rows or columns of a matrix. */
export interface MatrixOptions {
  readonly out: number;
  readonly a: number;
  readonly rows: number;
  readonly width: number;
}

/** Of `residual`: `sums` has room for four float64 values. */
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

/** Of `measure`: `sums` has room for four float64 values. */
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

/** Of `scale`. */
export interface ScaleOptions {
  readonly count: number;
  readonly alpha?: number;
  readonly alphaPointer?: number | undefined;
  readonly values: number;
}

/** Of `momentumUpdate`: pointers to `count` values each. */
export interface MomentumUpdateOptions {
  readonly count: number;
  readonly momentum: number;
  readonly learningRate: number;
  readonly weightDecay?: number;
  readonly gradient: number;
  readonly velocity: number;
  readonly parameters: number;
}

/** Of `groupRmsProp`: pointers, and the settings of the optimizer. */
export interface GroupRmsPropOptions {
  readonly squaredNorm: number;
  readonly state: number;
  readonly step: number;
  readonly alpha: number;
  readonly epsilon: number;
  readonly learningRate: number;
}

/**
 * The operations. Pointers are byte offsets into the runtime's memory, values float32 and matrices
 * row-major unless said otherwise, indices Int32, leading dimensions in elements. Operands of one operation
 * must not overlap its output unless said otherwise; indices are not checked.
 */
export interface Operations<Result> extends ConvolutionOperations<Result>, LayerOperations<Result> {
  /** C = alpha · *alphaPointer · op(A) · op(B) + beta · C, with op(A) m × k and op(B) k × n; beta 0 does not read C. */
  gemm(options: GemmOptions): Result;
  /** out = value. */
  fill(options: { out: number; value: number; count: number }): Result;
  /** out = in. */
  copy(options: { out: number; in: number; count: number }): Result;
  /** out (cols × rows) = inᵀ, in being rows × cols. */
  transpose(options: { out: number; in: number; rows: number; cols: number }): Result;
  /** out = a · b, entry by entry; out may be a or b. */
  multiply(options: { out: number; a: number; b: number; count: number }): Result;
  /** out[r, :] = Π_c values_c[index_c[r], :], 1 to 8 factors. */
  gatherProduct(options: {
    out: number;
    rows: number;
    width: number;
    factors: readonly Factor[];
  }): Result;
  /**
   * out[q, :] = Σ over t from start[q] to start[q + 1] - 1 of upstream[i, :] · Π_c values_c[index_c[i], :], i = list[t]
   * (t itself without a list), 0 to 8 factors: the gradient of gatherProduct by one more factor.
   */
  scatterProduct(options: ScatterProductOptions): Result;
  /** out[q, :] = alpha · Σ over t from start[q] to start[q + 1] - 1 of scale[i] · values[index[i], :], i = list[t]. */
  scatterScaled(options: ScatterScaledOptions): Result;
  /** out[s] = Σ_k left[leftIndex[s], k] · right[rightIndex[s], k] · weights[k]. */
  sampledDot(options: SampledDotOptions): Result;
  /** out[i · rightRows + j, :] = left[i, :] · right[j, :]. */
  khatriRao(options: {
    out: number;
    left: number;
    leftRows: number;
    right: number;
    rightRows: number;
    width: number;
  }): Result;
  /** out[i, :] = Σ_j upstream[i · rightRows + j, :] · other[j, :], other being the right operand. */
  khatriRaoGradientLeft(options: KhatriRaoGradientOptions): Result;
  /** out[j, :] = Σ_i upstream[i · rightRows + j, :] · other[i, :], other being the left operand. */
  khatriRaoGradientRight(options: KhatriRaoGradientOptions): Result;
  /** out[r, c] = in[r, c] · scale[c]; out may be in. */
  scaleColumns(options: {
    out: number;
    in: number;
    rows: number;
    width: number;
    scale: number;
  }): Result;
  /** out[c] = Σ_r a[r, c] · b[r, c]. */
  columnDot(options: MatrixOptions & { readonly b: number }): Result;
  /** out[c] = Σ_r a[r, c]. */
  columnSum(options: MatrixOptions): Result;
  /** out[c] = Σ_r a[r, c]². */
  columnSquaredNorms(options: MatrixOptions): Result;
  /** out[r] = Σ_c a[r, c]. */
  rowSum(options: MatrixOptions): Result;
  /** out[r] = Σ_c a[r, c]². */
  rowSquaredNorms(options: MatrixOptions): Result;
  /**
   * Mean loss of p = prediction[index[s]] against t = targets[targetIndex[s]] over `count` samples, d = p - t:
   * gradient[index[s]] = 2d / count (l2), sign(d) / count (l1), or for huber d / threshold / count where |d| < threshold
   * and sign(d) / count elsewhere; other positions of gradient are left as they are, none may be indexed twice.
   * sums (float64): Σ loss (d², |d|, d² / (2 · threshold) or |d| - threshold / 2), Σ d², Σ |p|, max |p|.
   */
  residual(options: ResidualOptions): Result;
  /**
   * residual for p = ⟨inputs[i, :], weights⟩ and t = targets[i], i = index[s], `rows` samples of `length` entries, with
   * gradient = Σ_s dloss/dp · inputs[i, :] in the same pass over the inputs; predictions[s] = p where wanted. With T threads
   * takes T - 1 gradients of scratch from the arena when it is recorded: `length` cannot be raised later.
   */
  measure(options: MeasureOptions): Result;
  /** out (float64) = Σ values², added to out with `accumulate`. */
  squaredNorm(options: {
    values: number;
    count: number;
    out: number;
    accumulate?: boolean;
  }): Result;
  /** out (float64) = Σ a · b, added to out with `accumulate`. */
  dot(options: { a: number; b: number; count: number; out: number; accumulate?: boolean }): Result;
  /** y += alpha · *alphaPointer · x. */
  axpy(options: {
    count: number;
    alpha?: number;
    alphaPointer?: number | undefined;
    x: number;
    y: number;
  }): Result;
  /** values *= alpha · *alphaPointer. */
  scale(options: ScaleOptions): Result;
  /** g += weightDecay · p; v = momentum · v + g; p -= learningRate · v. */
  momentumUpdate(options: MomentumUpdateOptions): Result;
  /**
   * The scalar part of GroupRMSprop (Li, Luo, Lyu 2021). state (float64) is (v, t), from (0, 0) on:
   * t += 1; v = alpha · v + (1 - alpha) · *squaredNorm (float64);
   * *step (float32) = -learningRate / (√(v / (1 - alpha^t)) + epsilon). axpy or gemm with alphaPointer = step do the rest.
   */
  groupRmsProp(options: GroupRmsPropOptions): Result;
  /** out (float64) = a · aᵀ (rows × rows) when rows ≤ cols, else aᵀ · a (cols × cols). */
  gramFloat64(options: { a: number; rows: number; cols: number; lda: number; out: number }): Result;
}

/** Records operations. */
export interface ProgramBuilder extends Operations<OpHandle> {
  /** Writes the tape; nothing can be recorded afterwards. */
  compile(): Program;
}

/** Runs each operation at once, for callers that do not know the next one yet. */
export type ImmediateOperations = Operations<void>;
