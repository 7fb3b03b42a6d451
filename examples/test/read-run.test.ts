import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { readMetrics } from "@implicit-rank/experiment-kit";
import * as Plot from "@observablehq/plot";
import { Runtime } from "@observablehq/runtime";
import { parseHTML } from "linkedom";
import { describe, expect, onTestFinished, test } from "vitest";
import { define, readRun, rowsOf, tagsOf } from "../read-run/read-run.js";
import { trainSmallRun } from "./small-runs.ts";

async function smallRun(model: "mf" | "cp" | "ht"): Promise<string> {
  const outputs = await mkdtemp(join(tmpdir(), "implicit-rank read run "));
  onTestFinished(() => rm(outputs, { recursive: true, force: true }));
  return trainSmallRun(model, outputs);
}

describe("read_run.py", () => {
  const pythonWith = (modules: string): string | undefined =>
    ["python3", "/usr/bin/python3"].find(
      (python) => spawnSync(python, ["-c", `import ${modules}`]).status === 0,
    );
  const python = pythonWith("numpy");
  const noPython = "no python3 with numpy; install numpy to run this test";

  interface Ended {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
  }
  const run = async (command: string, ...args: readonly string[]): Promise<Ended> => {
    const script = join(import.meta.dirname, "../read-run/read_run.py");
    return promisify(execFile)(command, [script, ...args]).then(
      (printed) => ({ code: 0, ...printed }),
      (ended: Ended) => ended,
    );
  };

  test.for(["mf", "cp", "ht"] as const)(
    "computes the ranks and norms of a run of %s anew",
    async (model, context) => {
      if (python === undefined) return context.skip(noPython);
      const { code, stdout, stderr } = await run(python, await smallRun(model));
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain(`${model} with seed 1`);
      for (const epoch of [199, 399]) {
        const line = new RegExp(`epoch_${epoch}.safetensors: whole; (\\d+) metrics computed anew`);
        expect(Number(line.exec(stdout)?.[1])).toBeGreaterThan(8);
      }
    },
  );

  test("names the checkpoint that is damaged, and the one that other metrics belong to", async (context) => {
    if (python === undefined) return context.skip(noPython);
    const folder = await smallRun("mf");
    const checkpoint = join(folder, "checkpoints/epoch_199.safetensors");
    const bytes = await readFile(checkpoint);
    bytes[bytes.length - 1]! ^= 1;
    await writeFile(checkpoint, bytes);
    const metrics = join(folder, "metrics.jsonl");
    const lines = (await readFile(metrics, "utf8")).split("\n");
    const last = JSON.parse(lines.at(-2)!) as { singular_value_0: number };
    lines[lines.length - 2] = JSON.stringify({ ...last, singular_value_0: 1.5 });
    await writeFile(metrics, lines.join("\n"));

    const { code, stderr } = await run(python, folder);
    expect(code).toBe(1);
    expect(stderr).toContain("epoch_199.safetensors: the checksum does not fit");
    expect(stderr).toContain("epoch_399.safetensors: metrics.jsonl is not what it was");
  });

  test("draws the curves", async (context) => {
    const withPlots = pythonWith("numpy, matplotlib");
    if (withPlots === undefined) return context.skip("no python3 with numpy and matplotlib");
    const folder = await smallRun("mf");
    const { code, stdout } = await run(withPlots, folder, join(folder, "curves.png"));
    expect([code, stdout]).toEqual([0, expect.stringContaining("curves in ")]);
    expect((await stat(join(folder, "curves.png"))).size).toBeGreaterThan(10_000);
  });
});

describe("read-run.js", () => {
  const attachmentsOf = (folder: string) => (name: string) => ({
    text: () => readFile(join(folder, name), "utf8"),
    json: async () => JSON.parse(await readFile(join(folder, name), "utf8")) as unknown,
  });

  test("gives the curves that readMetrics gives", async () => {
    const folder = await smallRun("cp");
    const attachment = attachmentsOf(folder);
    const run = await readRun({
      config: attachment("config.json"),
      metrics: attachment("metrics.jsonl"),
    });
    expect(tagsOf(run)).toEqual(
      expect.arrayContaining(["mse_loss", "factors Fro norm", "top components Fro norm"]),
    );
    const { series } = await readMetrics(folder);
    const rows = rowsOf(run, "top components Fro norm");
    expect(new Set(rows.map(({ metric }) => metric)).size).toBe(10);
    const own = rows.filter(({ metric }) => metric === "top_component_1_fro_norm");
    expect(own.map(({ epoch }) => epoch)).toEqual([
      ...series.get("top_component_1_fro_norm")!.epochs,
    ]);
    expect(own.map(({ value }) => value)).toEqual([
      ...series.get("top_component_1_fro_norm")!.values,
    ]);
  });

  test("is a notebook that draws the singular values", async () => {
    const folder = await smallRun("mf");
    // Plot draws into the global window, as it does in a notebook.
    const { window } = parseHTML("<!doctype html><html><body></body></html>");
    Object.assign(globalThis, { window });
    onTestFinished(() => void Reflect.deleteProperty(globalThis, "window"));
    const runtime = new Runtime({ FileAttachment: () => attachmentsOf(folder), Plot });
    onTestFinished(() => runtime.dispose());
    const chart = await new Promise<Element>((resolve, reject) => {
      runtime.module(define, (name) =>
        name === "chart" ? { fulfilled: resolve, rejected: reject } : {},
      );
    });
    const svg = chart.tagName.toLowerCase() === "svg" ? chart : chart.querySelector("svg")!;
    expect(svg.getAttribute("aria-label")).toBe("e2e singular values");
    const curves = [...svg.querySelectorAll("g[aria-label=line] path")];
    expect(curves).toHaveLength(8);
    // 40 validations: as many points on each curve.
    expect(curves[0]!.getAttribute("d")!.match(/[ML]/g)).toHaveLength(40);
  });
});
