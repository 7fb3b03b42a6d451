import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  isTorchDictionary,
  isTorchTensor,
  readTorchFile,
  torchOptimizer,
  torchStateDict,
  type TorchValue,
} from "../src/index.ts";
import { findPython, runPython } from "./python.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const temporary = useTemporaryFolder();
const python = findPython("torch");

/** Saves what may be in a checkpoint, and prints it as JSON: of a tensor its shape and elements. */
const program = `
import collections, json, sys
import torch

torch.manual_seed(1)
base = torch.arange(24.0).reshape(4, 6)
model = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.BatchNorm1d(2))
value = {
    "views": [base, base.t(), base[1:3, ::2], base.flatten()[5:], base[:, 2], base[2, 3]],
    "types": [torch.tensor([1, 0, 1]).to(t) for t in
              (torch.half, torch.bfloat16, torch.double, torch.long, torch.int, torch.short, torch.int8, torch.uint8, torch.bool)],
    "empty": [torch.zeros(0), torch.zeros(0, 3), torch.tensor(4.5)],
    "parameter": torch.nn.Parameter(torch.ones(2)),
    "permuted": torch.rand(2, 3, 4, 5).permute(3, 1, 0, 2),
    "channels_last": torch.rand(1, 3, 2, 2).contiguous(memory_format=torch.channels_last),
    "size": base.shape,
    "ordered": collections.OrderedDict([("b", (1, (2, None))), ("a", [True, -3, 2**40, 0.1])]),
    "texts": ["", "grüße", "\\u2028", "x" * 300],
}
folder = sys.argv[1]
torch.save(value, folder + "/value.pt")
steps = {}
for name, make in (("sgd", lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9)), ("adam", lambda p: torch.optim.Adam(p, lr=0.1))):
    optimizer = make(model.parameters())
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.rand(4, 3)).sum().backward()
        optimizer.step()
    torch.save({"model": torch.nn.DataParallel(model).state_dict(), "optimizer": optimizer.state_dict(), "epoch": 2}, folder + "/" + name + ".ckpt")
    steps[name] = [[(k, v) for k, v in sorted(s.items())] for s in optimizer.state_dict()["state"].values()]
torch.save(base, folder + "/legacy.pt", _use_new_zipfile_serialization=False)

def plain(part):
    if isinstance(part, torch.Tensor):
        return {"shape": list(part.shape), "data": [float(x) for x in part.flatten()]}
    if isinstance(part, dict):
        return {key: plain(child) for key, child in part.items()}
    if isinstance(part, (list, tuple)):
        return [plain(child) for child in part]
    return part

print(json.dumps({"value": plain(value), "steps": plain(steps), "model": plain(dict(model.state_dict()))}))
`;

/** As the program prints it. */
function plain(value: TorchValue): unknown {
  if (isTorchTensor(value)) return { shape: value.shape, data: Array.from(value.data, Number) };
  if (isTorchDictionary(value))
    return Object.fromEntries(Array.from(value, ([key, child]) => [key, plain(child)]));
  return Array.isArray(value) ? (value as readonly TorchValue[]).map(plain) : value;
}

describe("files that the PyTorch at hand saves now", () => {
  it("hold what it says", async (context) => {
    if (python === undefined) return context.skip("no Python with torch");
    const folder = temporary(".");
    const said = runPython(python, program, folder) as Readonly<Record<string, never>>;
    expect(plain(await readTorchFile(join(folder, "value.pt")))).toEqual(said["value"]);

    const content = (await readTorchFile(join(folder, "adam.ckpt"))) as ReadonlyMap<
      string,
      TorchValue
    >;
    const model = torchStateDict(content, "adam.ckpt");
    expect(plain(model)).toEqual(said["model"]);
    for (const name of ["sgd", "adam"]) {
      const saved = (await readTorchFile(join(folder, `${name}.ckpt`))) as typeof content;
      const { state, groups } = torchOptimizer(saved.get("optimizer"), name);
      expect(groups[0]!.parameters).toEqual([0, 1, 2, 3]);
      expect(groups[0]!.settings.get("lr")).toBe(0.1);
      const states = [...state.values()].map((own) =>
        Object.entries(plain(own) as object).sort(([a], [b]) => (a < b ? -1 : 1)),
      );
      expect(states).toEqual(said["steps"]![name]);
    }
    await expect(readTorchFile(join(folder, "legacy.pt"))).rejects.toThrow(
      "is that of PyTorch before 1.6",
    );
  });
});
