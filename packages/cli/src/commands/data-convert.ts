import { stat } from "node:fs/promises";
import { extname } from "node:path";
import {
  type ArrayFile,
  contentHash,
  readNpz,
  readSafetensors,
  readTorchFile,
  writeNpz,
  writeSafetensors,
} from "@implicit-rank/array-files";
import { datasetFileFromTorch } from "@implicit-rank/datasets";
import { listFlags, parseFlags } from "@implicit-rank/experiment-kit";
import { z } from "zod";
import type { CommandDefinition } from "../command.ts";
import { UsageError } from "../errors.ts";
import { formatBytes } from "../output/quantities.ts";
import { torchArrays } from "./torch-arrays.ts";

const convertFlags = z.object({
  force: z.boolean().default(false).describe("replace the output file if it exists"),
});

export const dataConvert: CommandDefinition = {
  description: `Converts a data set or a checkpoint between .safetensors and .npz, by the extensions of the files. Data sets of the PyTorch scripts (.pt) can be read too, and of checkpoints and state dictionaries (.ckpt, .pt, .pth) the parameters; nothing in them is executed.`,
  operands: [
    { name: "input", description: "file to read: .safetensors, .npz, .pt, .pth or .ckpt" },
    { name: "output", description: "file to write: .safetensors or .npz" },
  ],
  flagGroups: [{ title: "Files", flags: listFlags(convertFlags) }],
  examples: [
    "implicit-rank data convert data.safetensors data.npz",
    "implicit-rank data convert dataset_of_the_python_scripts.pt data.safetensors",
    "implicit-rank data convert checkpoint_of_the_python_scripts.ckpt parameters.npz",
  ],
  async run({ flags, operands, output }) {
    const [input, target] = operands as readonly [string, string];
    const options = { overwrite: parseFlags(convertFlags, flags).force };
    if (/^\.(pth?|ckpt)$/.test(extname(input))) {
      const write = writerFor(target);
      const content = await readTorchFile(input);
      const file = datasetFileFromTorch(content, input) ?? torchArrays(content, input);
      await write(target, file, options);
    } else {
      await writerFor(target)(target, await readerFor(input)(input), options);
    }
    const written = await readerFor(target)(target);
    const { size: bytes } = await stat(target);
    const arrays = Object.entries(written.arrays).map(([name, { shape }]) => ({ name, shape }));
    const sha256 = contentHash(written);
    const lines = [
      target,
      ...arrays.map(({ name, shape }) => `  ${name}: ${shape.join(" × ") || "one value"}`),
      `  ${formatBytes(bytes)}, content sha256 ${sha256}`,
    ];
    output.result({ path: target, bytes, sha256, arrays }, lines, target);
    return 0;
  },
};

function readerFor(path: string): (path: string) => Promise<ArrayFile> {
  const extension = extname(path);
  if (extension === ".safetensors") return readSafetensors;
  if (extension === ".npz") return readNpz;
  throw new UsageError(
    `${path}: cannot be read: give a .safetensors, .npz, .pt, .pth or .ckpt file`,
  );
}

function writerFor(path: string): typeof writeSafetensors {
  const extension = extname(path);
  if (extension === ".safetensors") return writeSafetensors;
  if (extension === ".npz") return writeNpz;
  throw new UsageError(`${path}: cannot be written: give a name that ends in .safetensors or .npz`);
}
