/** Sizes of a convolution: images are batch × height × width × channels, filters height × width × in × out. */
export interface ConvolutionGeometry {
  readonly batch: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly inChannels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly outChannels: number;
  readonly kernelHeight: number;
  readonly kernelWidth: number;
  readonly strideHeight?: number;
  readonly strideWidth?: number;
  /** Zeros before the first row and column; what is read past the last ones is zero too. */
  readonly padTop?: number;
  readonly padLeft?: number;
  readonly dilationHeight?: number;
  readonly dilationWidth?: number;
}

/** Sizes are those of the recording call; only pointers may be changed between runs. */
export interface ConvolutionOperations<Result> {
  /**
   * out[n, i, j, o] = Σ_{s, t, c} input[n, i · strideHeight + s · dilationHeight - padTop, …, c] · filter[s, t, c, o]
   * (a cross-correlation, as everywhere in neural networks).
   */
  convolution(
    options: ConvolutionGeometry & {
      readonly input: number;
      readonly filter: number;
      readonly out: number;
    },
  ): Result;
  /**
   * out = ∂⟨convolution(input, filter), upstream⟩ / ∂input, in the shape of the input. A stride above 1 together with a
   * dilation above 1 throws KernelArgumentError.
   */
  convolutionInputGradient(
    options: ConvolutionGeometry & {
      readonly upstream: number;
      readonly filter: number;
      readonly out: number;
    },
  ): Result;
  /** out = ∂⟨convolution(input, filter), upstream⟩ / ∂filter, in the shape of the filter. */
  convolutionFilterGradient(
    options: ConvolutionGeometry & {
      readonly input: number;
      readonly upstream: number;
      readonly out: number;
    },
  ): Result;
}
