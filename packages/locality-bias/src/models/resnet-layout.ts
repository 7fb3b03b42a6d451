import { LocalityBiasError } from "../errors.ts";

/** The depths of He, Zhang, Ren and Sun 2016, "Deep residual learning for image recognition". */
export const resNetDepths = [18, 34, 50, 101, 152] as const;
/**
 * How many layers with weights a ResNet has.
 *
 * @useDeclaredType
 */
export type ResNetDepth = (typeof resNetDepths)[number];
/** What comes before the residual blocks: see `ResNetOptions`. */
export type Stem = "imagenet" | "small";

/** A convolution without bias, followed by batch norm. Names as torchvision's. */
export interface ConvolutionLayer {
  readonly name: string;
  readonly batchNorm: string;
  readonly size: number;
  readonly stride: number;
  readonly channelsIn: number;
  readonly channelsOut: number;
}

/** The convolutions of a block, whose result is added to its input. */
export interface ResidualBlock {
  readonly convolutions: readonly ConvolutionLayer[];
  /** The 1×1 convolution of the shortcut, where the shape changes. */
  readonly downsample?: ConvolutionLayer;
}

/** The layers of a ResNet, without parameters. */
export interface ResNetLayout {
  readonly stem: ConvolutionLayer;
  /** 3×3, stride 2 after the stem of an ImageNet model. */
  readonly hasStemPooling: boolean;
  /** layer1 … layer4 of torchvision. */
  readonly stages: readonly (readonly ResidualBlock[])[];
  readonly features: number;
  readonly outputs: number;
}

const blocksOfStages: Readonly<Record<ResNetDepth, readonly number[]>> = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
};

/** The depth of a ResNet with these numbers of blocks in its stages, of bottleneck blocks or basic ones. */
export function resNetDepthOf(
  blocks: readonly number[],
  isBottleneck: boolean,
): ResNetDepth | undefined {
  return resNetDepths.find(
    (depth) => blocksOfStages[depth].join() === blocks.join() && depth >= 50 === isBottleneck,
  );
}

export interface ResNetShape {
  readonly depth: ResNetDepth;
  readonly channels: number;
  readonly outputs: number;
  /** Channels of the first stage; the others have 2, 4 and 8 times as many. */
  readonly width: number;
  readonly stem: Stem;
}

/**
 * The layers in torchvision's layout. Bottleneck blocks have their stride in the 3×3 convolution, as
 * torchvision's code and weights (often called v1.5), not in the first 1×1 one as in the paper.
 *
 * @throws LocalityBiasError if a size is not a positive integer or the depth is not one of the five.
 */
export function resNetLayout(shape: ResNetShape): ResNetLayout {
  checkShape(shape);
  const { depth, channels, outputs, width, stem } = shape;
  const expansion = depth < 50 ? 1 : 4;
  const stages: ResidualBlock[][] = [];
  let channelsIn = width;
  blocksOfStages[depth].forEach((count, stage) => {
    const inner = width * 2 ** stage;
    const blocks: ResidualBlock[] = [];
    for (let index = 0; index < count; index++) {
      const stride = stage > 0 && index === 0 ? 2 : 1;
      const prefix = `layer${stage + 1}.${index}`;
      blocks.push(
        expansion === 1
          ? basicBlock(prefix, stride, channelsIn, inner)
          : bottleneckBlock(prefix, stride, channelsIn, inner, expansion),
      );
      channelsIn = inner * expansion;
    }
    stages.push(blocks);
  });
  const stemLayer = stem === "imagenet" ? { size: 7, stride: 2 } : { size: 3, stride: 1 };
  return {
    stem: {
      name: "conv1",
      batchNorm: "bn1",
      ...stemLayer,
      channelsIn: channels,
      channelsOut: width,
    },
    hasStemPooling: stem === "imagenet",
    stages,
    features: channelsIn,
    outputs,
  };
}

/** All convolutions in torchvision's order. */
export function convolutionsOf({ stem, stages }: ResNetLayout): readonly ConvolutionLayer[] {
  const ofBlock = ({ convolutions, downsample }: ResidualBlock) =>
    downsample === undefined ? convolutions : [...convolutions, downsample];
  return [stem, ...stages.flat().flatMap(ofBlock)];
}

function basicBlock(
  prefix: string,
  stride: number,
  channelsIn: number,
  channelsOut: number,
): ResidualBlock {
  return {
    convolutions: [
      convolution(prefix, 1, 3, stride, channelsIn, channelsOut),
      convolution(prefix, 2, 3, 1, channelsOut, channelsOut),
    ],
    ...shortcut(prefix, stride, channelsIn, channelsOut),
  };
}

function bottleneckBlock(
  prefix: string,
  stride: number,
  channelsIn: number,
  inner: number,
  expansion: number,
): ResidualBlock {
  const channelsOut = inner * expansion;
  return {
    convolutions: [
      convolution(prefix, 1, 1, 1, channelsIn, inner),
      convolution(prefix, 2, 3, stride, inner, inner),
      convolution(prefix, 3, 1, 1, inner, channelsOut),
    ],
    ...shortcut(prefix, stride, channelsIn, channelsOut),
  };
}

function convolution(
  prefix: string,
  number: number,
  size: number,
  stride: number,
  channelsIn: number,
  channelsOut: number,
): ConvolutionLayer {
  const [name, batchNorm] = [`${prefix}.conv${number}`, `${prefix}.bn${number}`];
  return { name, batchNorm, size, stride, channelsIn, channelsOut };
}

function shortcut(prefix: string, stride: number, channelsIn: number, channelsOut: number) {
  if (stride === 1 && channelsIn === channelsOut) return {};
  const [name, batchNorm] = [`${prefix}.downsample.0`, `${prefix}.downsample.1`];
  return { downsample: { name, batchNorm, size: 1, stride, channelsIn, channelsOut } };
}

function checkShape({ depth, channels, outputs, width }: ResNetShape): void {
  if (!resNetDepths.includes(depth)) {
    throw new LocalityBiasError(
      `model: no ResNet of depth ${depth}; use ${resNetDepths.join(", ")}`,
    );
  }
  for (const [name, value] of Object.entries({ channels, outputs, width })) {
    if (!Number.isSafeInteger(value) || value < 1) {
      throw new LocalityBiasError(`model: ${name} is ${value}; give a positive integer`);
    }
  }
}
