import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inflateRawSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { writeReport } from "../../src/index.ts";
import { decodeCurves } from "../../src/report/curve-codec.ts";
import { findRunFolders } from "../../src/report/find-run-folders.ts";
import { contentPolicy, escapeHtml, pageHtml } from "../../src/report/page-html.ts";
import type { ReportContent } from "../../src/report/report-data.ts";
import { temporaryFolder } from "../run-kit.ts";
import { dynamics, dynamicsMetrics, writeFakeRun } from "./fake-run.ts";

function contentOf(path: string) {
  const html = readFileSync(path, "utf8");
  const data = /id="data">([^<]*)</.exec(html)![1]!;
  const bytes = inflateRawSync(Buffer.from(data, "base64"));
  const length = bytes.readUInt32LE(0);
  const content = JSON.parse(bytes.toString("utf8", 4, 4 + length)) as ReportContent;
  let start = 4 + length;
  const curves = content.curveBytes.map((size) =>
    decodeCurves(bytes.subarray(start, (start += size))),
  );
  return { html, content, curves };
}

describe("a report", () => {
  test("holds final and extreme values, settings and curves", async () => {
    const folder = temporaryFolder();
    const lines = dynamics(50);
    writeFakeRun(folder, {
      name: "a",
      lines,
      metrics: dynamicsMetrics,
      flags: { lr: 0.01, widths: [8, 8], nested: { a: 1 } },
      stopReason: "all epochs were run",
    });
    const output = join(folder, "report.html");
    const written = await writeReport({ paths: [join(folder, "a")], output });
    expect(written).toMatchObject({ path: output, runs: [join(folder, "a")], problems: [] });
    const { html, content, curves } = contentOf(output);
    expect(Buffer.byteLength(html)).toBe(written.bytes);
    const [run] = content.runs;
    expect(run).toMatchObject({
      name: "a",
      state: "completed",
      reason: "all epochs were run",
      lastEpoch: 499,
      seconds: 2.5,
      settings: { lr: "0.01", widths: "8 8", nested: '{"a":1}' },
    });
    const last = lines.at(-1)!["train_loss"]!;
    expect(run!.metrics[0]).toEqual({
      name: "train_loss",
      tag: "loss",
      last: { value: last, epoch: 499 },
      lowest: { value: last, epoch: 499 },
      highest: { value: 1, epoch: 9 },
    });
    expect(run!.bestScore).toEqual({ value: last, epoch: 499 });
    expect(curves[0]!.length).toBe(5);
    expect(curves[0]![0]!.values[0]).toBe(1);
  });

  test("stays below a megabyte for three runs of 190 smooth metrics at 560 epochs", async () => {
    const folder = temporaryFolder();
    const metrics = Array.from({ length: 190 }, (_, i) => ({
      name: `metric_${i}`,
      tag: `tag ${i % 9}`,
    }));
    const paths = ["a", "b", "c"].map((name, run) => {
      const valueAt = (metric: number, line: number): number =>
        5 +
        metric +
        (4 + run) * Math.tanh(line / 40 - metric / 20) * Math.cos(line / (30 + metric));
      const lines = Array.from({ length: 560 }, (_, i) => ({
        epoch: 25 * i + 24,
        time: i,
        ...Object.fromEntries(metrics.map((metric, m) => [metric.name, valueAt(m, i)])),
      }));
      return writeFakeRun(folder, { name, metrics, lines });
    });
    const { bytes } = await writeReport({ paths, output: join(folder, "r.html") });
    expect(bytes).toBeLessThan(1e6);
  });

  test("contains nothing that a name or value could break out with", async () => {
    const folder = temporaryFolder();
    const hostile = `</script><script>alert(1)</script><img src=x onerror=alert(1)>`;
    writeFakeRun(folder, {
      name: "<img onerror=alert(1)>",
      metrics: [{ name: hostile, tag: hostile }],
      flags: { [hostile]: hostile },
      lines: [{ epoch: 0, time: 0, [hostile]: 1 }],
    });
    const output = join(folder, "r.html");
    await writeReport({ paths: [folder], output });
    const { html } = contentOf(output);
    expect(html).not.toContain("alert(1)</");
    expect(html).not.toContain("<img");
    expect(html).toContain("<title>&#60;img onerror=alert(1)&#62;");
    expect(html.match(/<\/script>/g)).toHaveLength(2);
    expect(escapeHtml(`a&<>"'`)).toBe("a&#38;&#60;&#62;&#34;&#39;");
  });

  test("allows only its own program and style, and no network", async () => {
    const policy = contentPolicy({ script: "1", style: "2" }, "report");
    expect(policy).toContain("default-src 'none'");
    expect(policy).not.toMatch(/unsafe|connect-src|\*|https?:/);
    const html = pageHtml({ script: "1", style: "2" }, { title: "t", data: "", mode: "report" });
    expect(html).toContain(`content="${policy}"`);
    expect(contentPolicy({ script: "1", style: "2" }, "live")).toContain("connect-src 'self'");
  });
});

describe("writeReport", () => {
  test("never replaces another file, unless that is wanted", async () => {
    const folder = temporaryFolder();
    writeFakeRun(folder, { name: "a", lines: dynamics(3) });
    const output = join(folder, "r.html");
    writeFileSync(output, "mine");
    const write = (overwrite: boolean) => writeReport({ paths: [folder], output, overwrite });
    await expect(write(false)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/--output: .*r\.html exists; .*--force/),
    });
    expect(readFileSync(output, "utf8")).toBe("mine");
    await write(true);
    expect(readFileSync(output, "utf8")).toContain("<!doctype html>");
  });

  test("names what is wrong with its arguments", async () => {
    const folder = temporaryFolder();
    const write = (path: string, output = "r.html") =>
      writeReport({ paths: [path], output: join(folder, output) });
    writeFileSync(join(folder, "file"), "");
    await expect(write(join(folder, "none"))).rejects.toThrow(/none: there is no such folder/);
    await expect(write(join(folder, "file"))).rejects.toThrow(/file: is a file/);
    await expect(write(folder)).rejects.toThrow(/holds no run/);
    await expect(write(folder, "r.pdf")).rejects.toThrow(/--output: .*\.html/);
    expect(existsSync(join(folder, "r.html"))).toBe(false);
  });

  test("shows a damaged run as such, and refuses to show nothing else", async () => {
    const folder = temporaryFolder();
    writeFakeRun(folder, { name: "good", lines: dynamics(3) });
    const bad = writeFakeRun(folder, { name: "bad" });
    writeFileSync(join(bad, "metrics.jsonl"), "{]\n");
    const output = join(folder, "r.html");
    const { problems } = await writeReport({ paths: [folder], output });
    expect(problems).toEqual([expect.stringContaining("line 1: is not valid JSON")]);
    expect(
      contentOf(output)
        .content.runs.map(({ state }) => state)
        .sort(),
    ).toEqual(["damaged", "killed"]);
    await expect(writeReport({ paths: [bad], output, overwrite: true })).rejects.toThrow(
      /is not valid JSON/,
    );
  });

  test("takes a run once, however often and by whatever path it is named", async () => {
    const folder = temporaryFolder();
    const run = writeFakeRun(folder, { name: "a", lines: dynamics(3) });
    const output = join(folder, "r.html");
    const { runs } = await writeReport({ paths: [run, folder, join(run, "..", "a")], output });
    expect(runs).toHaveLength(1);
  });
});

describe("run folders", () => {
  test("are found below a folder, but not through links, in hidden folders or in runs", async () => {
    const root = temporaryFolder();
    writeFakeRun(join(root, "sweep", "grid"), { name: "b" });
    writeFakeRun(root, { name: "a" });
    writeFakeRun(join(root, "a", "inner"), { name: "not" });
    writeFakeRun(join(root, ".hidden"), { name: "not" });
    mkdirSync(join(root, "empty"));
    symlinkSync(join(root, "a"), join(root, "link"));
    expect(await findRunFolders(root)).toEqual([join(root, "a"), join(root, "sweep", "grid", "b")]);
  });
});
