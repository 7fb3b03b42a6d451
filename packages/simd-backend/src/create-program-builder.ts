import { KernelArgumentError } from "./errors.ts";
import { LARGEST_FACTOR_COUNT, operations, RECORD_BYTES, RECORD_WORDS } from "./operations.ts";
import type { Operation } from "./operation-fields.ts";
import type {
  Factor,
  GemmOptions,
  ImmediateOperations,
  LossKind,
  MeasureOptions,
  OpHandle,
  Operations,
  Program,
  ProgramBuilder,
  ResidualOptions,
} from "./program.ts";
import { convolutionRecorders } from "./record-convolutions.ts";
import { layerRecorders } from "./record-layers.ts";
import { writeField } from "./record.ts";

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

export function createProgramBuilder(host: ProgramHost): ProgramBuilder {
  const memoryBytes = host.buffer.byteLength;
  let records: { view: DataView }[] = [];
  let compiled = false;

  function record(operation: Operation, values: FieldValues): OpHandle {
    if (compiled)
      throw new KernelArgumentError(
        `${operation.name}: the program is compiled; record before compile()`,
      );
    const entry = { view: new DataView(new ArrayBuffer(RECORD_BYTES)) };
    writeRecord(entry.view, operation, values, memoryBytes);
    records.push(entry);
    return { set: (name, value) => writeField(entry.view, operation, name, value, memoryBytes) };
  }

  function compile(): Program {
    if (compiled) throw new KernelArgumentError("compile: the program is compiled already");
    compiled = true;
    const length = records.length;
    const tape = host.allocateTape(length * RECORD_BYTES);
    records.forEach((entry, position) => {
      const at = tape + position * RECORD_BYTES;
      new Uint32Array(host.buffer, at, RECORD_WORDS).set(new Uint32Array(entry.view.buffer));
      entry.view = new DataView(host.buffer, at, RECORD_BYTES);
    });
    records = [];
    return { length, run: () => host.execute(tape, length) };
  }

  return { ...recorders(record, host), compile };
}

/** Operations that run when they are called, on the one record at `tape`. */
export function createImmediateOperations(host: ProgramHost): ImmediateOperations {
  const tape = host.allocateTape(RECORD_BYTES);
  const memoryBytes = host.buffer.byteLength;
  const words = new Uint32Array(host.buffer, tape, RECORD_WORDS);
  const view = new DataView(host.buffer, tape, RECORD_BYTES);
  const run: Recorder<void> = (operation, values) => {
    words.fill(0);
    writeRecord(view, operation, values, memoryBytes);
    host.execute(tape, 1);
  };
  return recorders(run, host);
}

function writeRecord(
  view: DataView,
  operation: Operation,
  values: FieldValues,
  memoryBytes: number,
): void {
  view.setUint32(0, operation.opcode, true);
  for (let word = 1; word <= 3; word++) view.setUint32(4 * word, 1, true);
  for (const name in values) {
    const value = values[name];
    if (value !== undefined) writeField(view, operation, name, value, memoryBytes);
  }
  for (const name in operation.fields) {
    if (operation.fields[name]!.kind === "pointer" && values[name] === undefined)
      throw new KernelArgumentError(`${operation.name}.${name} is missing; give a pointer`);
  }
}

type Recorder<Result> = (operation: Operation, values: FieldValues) => Result;

function recorders<Result>(record: Recorder<Result>, host: ProgramHost): Operations<Result> {
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
    ...convolutionRecorders(record),
    ...layerRecorders(record),
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
