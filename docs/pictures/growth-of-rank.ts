import { generateMatrixDataset } from "@implicit-rank/datasets";
import { createRandom } from "@implicit-rank/random";
import {
  createFactorization,
  fullTensor,
  initializeNormal,
  matrixSpec,
  plainEngine,
  sgd,
  singularValues,
} from "@implicit-rank/tensor-factorization";
import ndarray from "ndarray";
import { axes } from "./axes.ts";
import { colors, curve, line, picture, text } from "./svg.ts";

const size = 20;
const observed = 240;
const runs = [
  { depth: 1, std: 0.001, learningRate: 1, epochs: 1000 },
  { depth: 2, std: 0.003, learningRate: 0.5, epochs: 1000 },
  { depth: 3, std: 0.03, learningRate: 0.2, epochs: 2400 },
];

/** Singular values of deep matrix factorizations over plain gradient descent, as the library trains them. */
export async function growthOfRank(): Promise<string> {
  const { indices, targets, targetTensor } = generateMatrixDataset({
    num_rows: size,
    num_cols: size,
    num_samples: size * size,
    rank: 3,
    target_fro_norm: size,
    random_seed: 1,
  });
  const seen = {
    task: "completion" as const,
    indices: indices!.slice(0, 2 * observed),
    targets: targets.slice(0, observed),
    samples: observed,
  };
  const goal = [...singularValues(ndarray(targetTensor!, [size, size]))].slice(0, 3);
  const panels: string[] = [];
  for (const [i, run] of runs.entries()) {
    panels.push(panel(20 + i * 185, run, await train(run, seen), goal));
  }
  return picture(
    { width: 540, height: 590 },
    {
      title: "Singular values over gradient descent, for one, two and three matrices",
      description:
        "With one matrix all twenty singular values rise at once. With two, three of them rise one after another, and a few others a little. With three, exactly three rise, one after another.",
    },
    ...panels,
    text(271, 578, "iterations of gradient descent", { "font-size": 13, "text-anchor": "middle" }),
  );
}

type Run = (typeof runs)[number];

const moments = 200;

/** The singular values at some moments of a training: of each, all of them. */
async function train(
  { depth, std, learningRate, epochs }: Run,
  observations: Parameters<typeof plainEngine.compile>[1],
): Promise<readonly (readonly number[])[]> {
  const factorization = createFactorization(matrixSpec({ rows: size, cols: size, depth }));
  initializeNormal(factorization, createRandom(1), { std });
  const training = await plainEngine.compile(
    factorization,
    observations,
    { kind: "l2" },
    sgd({ lr: learningRate }),
  );
  const history: number[][] = [];
  for (let epoch = 0; epoch <= epochs; epoch++) {
    if (epoch % (epochs / moments) === 0)
      history.push([...singularValues(fullTensor(factorization))]);
    training.step();
  }
  training.dispose();
  return history;
}

function panel(
  top: number,
  { depth, epochs }: Run,
  history: readonly (readonly number[])[],
  goal: readonly number[],
): string {
  const { x, y, drawn } = axes({
    left: 36,
    top: top + 22,
    width: 470,
    height: 120,
    xMax: epochs,
    yMax: 17,
    xTicks: [0, epochs / 2, epochs],
    yTicks: [0, 5, 10, 15],
  });
  const palette = [colors.blue, colors.orange, colors.green];
  const curves = Array.from({ length: size }, (_, k) =>
    curve(
      history.map((values, i) => [x((i / moments) * epochs), y(values[k]!)]),
      { stroke: palette[k] ?? colors.line, "stroke-width": k < 3 ? 2.5 : 1 },
    ),
  ).toReversed();
  const wanted = goal.map((value) =>
    line([x(0), y(value)], [x(epochs), y(value)], {
      stroke: colors.faint,
      "stroke-dasharray": "5 4",
    }),
  );
  const title = ["one matrix: W₁", "two: W₁W₂", "three: W₁W₂W₃"][depth - 1]!;
  return (
    text(40, top + 12, title, { "font-weight": 600 }) + wanted.join("") + drawn + curves.join("")
  );
}
