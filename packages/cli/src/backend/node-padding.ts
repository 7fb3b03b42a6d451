import * as tf from "@tensorflow/tfjs-core";

const backendName = "tensorflow";

/** Rows above and below and columns to the left and right that an operation adds to images. */
type Padding = Pick<
  ReturnType<typeof tf.backend_util.computeConv2DInfo>["padInfo"],
  "top" | "bottom" | "left" | "right" | "type"
>;

interface Call {
  readonly inputs: Readonly<Record<string, tf.Tensor4D>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  /** The library's kernel, on images that are padded already. */
  run(inputs: Readonly<Record<string, tf.Tensor>>, attributes?: object): tf.Tensor4D;
}

/** How a kernel is done with padding that the library does not know. */
interface PaddedKernel {
  readonly kernelName: string;
  padding(call: Call): Padding;
  compute(call: Call, padding: Padding): tf.Tensor;
}

/**
 * TensorFlow's kernels know the paddings "valid" and "same" only, and "same" puts another number of rows
 * above than a number does. These pad the images themselves, and then do without.
 */
export function teachPadding(): void {
  for (const kernel of paddedKernels) {
    const original = tf.getKernel(kernel.kernelName, backendName);
    if (original === undefined) continue;
    tf.unregisterKernel(kernel.kernelName, backendName);
    tf.registerKernel({ ...original, kernelFunc: withPadding(kernel, original) });
  }
}

function withPadding(kernel: PaddedKernel, original: tf.KernelConfig): tf.KernelFunc {
  return ({ inputs, attrs, backend }) => {
    const attributes = attrs as unknown as Readonly<Record<string, unknown>>;
    const call: Call = {
      inputs: inputs as unknown as Call["inputs"],
      attributes,
      // The library's kernels return tensors that tfjs keeps account of already.
      run: (padded, others = {}) =>
        original.kernelFunc({
          inputs: padded,
          backend,
          attrs: { ...attributes, pad: "valid", ...others } as unknown as tf.NamedAttrMap,
        }) as tf.Tensor4D,
    };
    const padding = kernel.padding(call);
    if (padding.type === "VALID" || padding.type === "SAME")
      return original.kernelFunc({ inputs, attrs: attrs!, backend });
    return tf.tidy(() => kernel.compute(call, padding));
  };
}

const paddedKernels: readonly PaddedKernel[] = [
  {
    kernelName: tf.Conv2D,
    padding: ({ inputs: { x, filter }, attributes }) =>
      convolutionPadding(x!.shape, filter!.shape, attributes),
    compute: ({ inputs: { x, filter }, run }, padding) =>
      run({ x: pad(x!, padding), filter: filter! }),
  },
  {
    kernelName: tf.Conv2DBackpropInput,
    padding: ({ inputs: { filter }, attributes }) =>
      convolutionPadding(attributes["inputShape"] as Shape, filter!.shape, attributes),
    compute: ({ inputs: { dy, filter }, attributes, run }, padding) => {
      const shape = attributes["inputShape"] as Shape;
      const inputShape = paddedShape(shape, padding);
      return cut(run({ dy: dy!, filter: filter! }, { inputShape }), shape, padding);
    },
  },
  {
    kernelName: tf.Conv2DBackpropFilter,
    padding: ({ inputs: { x }, attributes }) =>
      convolutionPadding(x!.shape, attributes["filterShape"] as Shape, attributes),
    compute: ({ inputs: { x, dy }, run }, padding) => run({ x: pad(x!, padding), dy: dy! }),
  },
  {
    kernelName: tf.MaxPool,
    padding: ({ inputs: { x }, attributes }) => poolPadding(x!.shape, attributes),
    compute: ({ inputs: { x }, run }, padding) => run({ x: pad(x!, padding, -Infinity) }),
  },
  {
    kernelName: tf.MaxPoolGrad,
    padding: ({ inputs: { input }, attributes }) => poolPadding(input!.shape, attributes),
    compute: ({ inputs: { dy, input, output }, run }, padding) => {
      const padded = pad(input!, padding, -Infinity);
      return cut(run({ dy: dy!, input: padded, output: output! }), input!.shape, padding);
    },
  },
];

type Shape = [number, number, number, number];

function convolutionPadding(
  inputShape: Shape,
  filterShape: Shape,
  attributes: Call["attributes"],
): Padding {
  const { strides, dilations, pad, dimRoundingMode, dataFormat } =
    attributes as unknown as tf.Conv2DAttrs;
  requireChannelsLast(dataFormat);
  return tf.backend_util.computeConv2DInfo(
    inputShape,
    filterShape,
    strides,
    dilations ?? 1,
    pad,
    dimRoundingMode,
  ).padInfo;
}

function poolPadding(shape: Shape, attributes: Call["attributes"]): Padding {
  const { filterSize, strides, pad, dimRoundingMode } = attributes as unknown as tf.MaxPoolAttrs;
  const info = tf.backend_util.computePool2DInfo(
    shape,
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  return info.padInfo;
}

function requireChannelsLast(dataFormat: string | undefined): void {
  if (dataFormat !== undefined && dataFormat !== "NHWC")
    throw new Error(`backend node: no padding of ${dataFormat} images; use NHWC`);
}

function pad(images: tf.Tensor4D, { top, bottom, left, right }: Padding, value = 0): tf.Tensor4D {
  return tf.pad(
    images,
    [
      [0, 0],
      [top, bottom],
      [left, right],
      [0, 0],
    ],
    value,
  );
}

function paddedShape([samples, rows, columns, channels]: Shape, padding: Padding): Shape {
  const { top, bottom, left, right } = padding;
  return [samples, rows + top + bottom, columns + left + right, channels];
}

function cut(images: tf.Tensor4D, shape: Shape, { top, left }: Padding): tf.Tensor4D {
  return tf.slice(images, [0, top, left, 0], shape);
}
