import { createModeTree } from "@implicit-rank/tensor-factorization";
import { arrow, colors, element, line, picture, text } from "./svg.ts";
import { drawTree, placeTree } from "./tree-layout.ts";

const rows = { output: 66, pool1: 150, conv1: 226, pool0: 310, conv0: 386, pixels: 470 };

/** A convolutional arithmetic circuit beside the tree of the tensor that it computes. */
export function networkAsTree(): string {
  const tree = placeTree(createModeTree(4, [2, 2], "checkerboard"), {
    left: 290,
    width: 240,
    top: rows.output,
    row: (rows.conv0 - rows.output) / 2,
  });
  return picture(
    { width: 540, height: 520 },
    {
      title: "A convolutional network and its mode tree",
      description:
        "Each 1 by 1 convolution is a level of matrices in the tree, and each product pooling joins nodes into their parent. Four pixels become two places and then one.",
    },
    text(20, 28, "network", { "font-weight": 600 }),
    text(300, 28, "tree", { "font-weight": 600 }),
    ...places(rows.pixels, 4, 1, "4 pixels"),
    ...places(rows.conv0, 4, 4, "1×1 convolution: W₀,ᵢ"),
    ...places(rows.pool0, 2, 4, "product of 2 neighbors"),
    ...places(rows.conv1, 2, 4, "1×1 convolution: W₁,ᵢ"),
    ...places(rows.pool1, 1, 4, "product of 2 neighbors"),
    ...places(rows.output, 1, 1, "weighted sum: o"),
    ...[rows.output, (rows.output + rows.conv0) / 2, rows.conv0].map((y) =>
      line([225, y], [290, y], { "stroke-dasharray": "3 5" }),
    ),
    drawTree(tree, {
      paint: ({ layer }) => [colors.blue, colors.green, undefined][layer],
    }),
    arrow([20, rows.pixels], [20, rows.output + 10]),
  );
}

/** Places side by side, each a stack of channels, and below them what they are. */
function places(y: number, count: number, channels: number, caption: string): string[] {
  const spacing = 176 / count;
  const boxes = Array.from({ length: count }, (_, place) => {
    const x = 40 + (place + 0.5) * spacing;
    return Array.from({ length: channels }, (_, channel) =>
      element("rect", {
        x: x - 10 + channel * 4 - (channels - 1) * 2,
        y: y - 12 - channel * 3,
        width: 20,
        height: 20,
        fill: colors.card,
        stroke: caption.startsWith("1×1 convolution: W₀")
          ? colors.blue
          : caption.startsWith("1×1")
            ? colors.green
            : colors.muted,
        "stroke-width": 1.5,
      }),
    ).join("");
  });
  const label = text(128, y + 27, caption, {
    "font-size": 13,
    "text-anchor": "middle",
    fill: colors.muted,
  });
  return [...boxes, label];
}
