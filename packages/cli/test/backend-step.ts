import { type BackendName } from "@implicit-rank/locality-bias/experiment";
import { createResNet, createSgd, createTrainer } from "@implicit-rank/locality-bias";
import { createRandom } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import { startBackend } from "../src/backend/start-backend.ts";
import { createShortNetwork } from "./short-network.ts";

/**
 * Prints what two training steps with the regularizer give on the backend that is named, of a narrow
 * ResNet-18 or of the short network.
 */
const [name, network, threads = "1"] = process.argv.slice(2);
const started = await startBackend({
  backend: name as BackendName,
  threads: Number(threads),
  log: (line) => console.error(line),
});
const random = createRandom(5);
const init = random.fork("init");
const model =
  network === "short"
    ? createShortNetwork(init)
    : createResNet({ depth: 18, channels: 2, width: 2, random: init });
const optimizer = createSgd(model.parameters, { learningRate: 0.01, momentum: 0.9 });
const trainer = createTrainer({ model, optimizer, coefficient: 0.5 });
const pixels = new Float32Array(4 * 16 * 16 * 2);
random.fillNormal(pixels, 0, 1);
const x = tf.tensor4d(pixels, [4, 16, 16, 2]);
const labels = tf.tensor1d([0, 1, 1, 0], "float32");
const patches = {
  a: { top: 2, left: 1, height: 6, width: 6 },
  b: { top: 8, left: 9, height: 6, width: 6 },
};
const before = await readParameters();
const first = await trainer.step({ x, labels, patches });
const tensors = tf.memory().numTensors;
const update = (await readParameters()).map((value, i) => value - before[i]!);
const second = await trainer.step({ x, labels, patches });
const leaked = tf.memory().numTensors - tensors;
console.log(JSON.stringify({ started, first, second, update, leaked }));
process.exit(0);

async function readParameters(): Promise<number[]> {
  const values = await Promise.all([...model.parameters.values()].map((each) => each.data()));
  return values.flatMap((value) => [...value]);
}
