import { convolutionOperations } from "./convolution-operations.ts";
import type { ConvolutionGeometry, ConvolutionOperations } from "./convolution-program.ts";
import { KernelArgumentError } from "./errors.ts";
import type { Operation } from "./operation-fields.ts";

type FieldValues = Readonly<Record<string, number | undefined>>;

/** The builder's methods for convolutions, on a function that writes one record. */
export function convolutionRecorders<Result>(
  record: (operation: Operation, values: FieldValues) => Result,
): ConvolutionOperations<Result> {
  const o = convolutionOperations;
  return {
    convolution: (options) => record(o.convolution, { ...withDefaults("convolution", options) }),
    convolutionInputGradient: (options) => {
      const values = withDefaults("convolutionInputGradient", options);
      refuseStridedDilation(values);
      return record(o.convolutionInputGradient, { ...values });
    },
    convolutionFilterGradient: (options) =>
      record(o.convolutionFilterGradient, {
        ...withDefaults("convolutionFilterGradient", options),
      }),
  };
}

const SIZES = [
  "batch",
  "inHeight",
  "inWidth",
  "inChannels",
  "outHeight",
  "outWidth",
  "outChannels",
  "kernelHeight",
  "kernelWidth",
  "strideHeight",
  "strideWidth",
  "dilationHeight",
  "dilationWidth",
] as const;

function withDefaults<Options extends ConvolutionGeometry>(
  operation: string,
  options: Options,
): Options & Required<ConvolutionGeometry> {
  const ones = { strideHeight: 1, strideWidth: 1, dilationHeight: 1, dilationWidth: 1 };
  const values = { ...ones, padTop: 0, padLeft: 0, ...options };
  for (const name of SIZES) {
    if (values[name] >= 1) continue;
    throw new KernelArgumentError(
      `${operation}.${name} is ${values[name]}; give a positive whole number`,
    );
  }
  return values;
}

function refuseStridedDilation(geometry: Required<ConvolutionGeometry>): void {
  const { strideHeight, strideWidth, dilationHeight, dilationWidth } = geometry;
  const strided = (stride: number, dilation: number): boolean => stride > 1 && dilation > 1;
  if (strided(strideHeight, dilationHeight) || strided(strideWidth, dilationWidth)) {
    throw new KernelArgumentError(
      "convolutionInputGradient: the stride and the dilation are above 1; give 1 for one of them",
    );
  }
}
