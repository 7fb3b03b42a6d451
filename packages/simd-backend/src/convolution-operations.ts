import { operation, pointer, size, stride } from "./operation-fields.ts";

// The records of assembly/convolution*.ts; the geometry is read by assembly/convolution-record.ts.

const geometry = {
  batch: size(1),
  outChannels: size(2),
  inChannels: size(3),
  inHeight: stride(4),
  inWidth: stride(5),
  outHeight: stride(6),
  outWidth: stride(7),
  kernelHeight: stride(8),
  kernelWidth: stride(9),
  strideHeight: stride(10),
  strideWidth: stride(11),
  padTop: stride(12),
  padLeft: stride(13),
  dilationHeight: stride(14),
  dilationWidth: stride(15),
};

export const convolutionOperations = {
  convolution: operation("convolution", 28, {
    ...geometry,
    input: pointer(16),
    filter: pointer(17),
    out: pointer(18),
  }),
  convolutionInputGradient: operation("convolutionInputGradient", 29, {
    ...geometry,
    upstream: pointer(16),
    filter: pointer(17),
    out: pointer(18),
  }),
  convolutionFilterGradient: operation("convolutionFilterGradient", 30, {
    ...geometry,
    input: pointer(16),
    upstream: pointer(17),
    out: pointer(18),
  }),
} as const;
