import type { ChildProcess } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { makeDataset, newFolder, removeFolder, runCli, runJson, startCli } from "./run-cli.ts";

let cwd: string;
let run: string;
beforeAll(async () => {
  cwd = await newFolder();
  const dataset = await makeDataset(cwd, "matrix");
  const flags = ["--num_train_samples", "24", "--epochs", "20", "--depth", "2", "--seed", "5"];
  const result = await runJson(["train", "mf", "--dataset_path", dataset, ...flags], { cwd });
  run = result.folder;
  return () => removeFolder(cwd);
}, 60_000);

describe("report", () => {
  test("writes the file, and says where", async () => {
    const { code, stdout } = await runCli(["report", run], { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^report\.html: 1 run, \d+(\.\d)? KiB; open it in a browser\n$/);
    expect(await readFile(join(cwd, "report.html"), "utf8")).toMatch(/^<!doctype html>/);
  });

  test("takes several runs and folders, and replaces a file only with --force", async () => {
    const args = ["report", run, "outputs", "--output", "both.html"];
    const first = await runJson(args, { cwd });
    expect(first).toMatchObject({ report: "both.html", runs: [run] });
    const second = await runCli(args, { cwd });
    expect(second.code).toBe(2);
    expect(second.stderr).toBe(
      "error: --output: both.html exists; choose another name or replace it with --force\n",
    );
    expect((await runCli([...args, "--force"], { cwd })).code).toBe(0);
  });

  test("wants a run", async () => {
    expect(await runCli(["report"], { cwd })).toMatchObject({ code: 2, stdout: "" });
    const { code, stderr } = await runCli(["report", "nowhere"], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: nowhere: there is no such folder; .*\n$/);
  });
});

/** The address that `watch` prints once it serves. */
function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stdout!.on("data", (text: string) => {
      const found = /http:\S+/.exec(text);
      if (found) resolve(found[0]);
    });
    child.on("close", () => reject(new Error("watch ended before it served")));
  });
}

describe("watch", () => {
  test.each(["SIGINT", "SIGTERM"] as const)("serves the page until %s", async (signal) => {
    const { child, ended } = startCli(["watch", "outputs"], { cwd });
    onTestFinished(() => void child.kill("SIGKILL"));
    const address = await addressOf(child);
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect(await (await fetch(address)).text()).toContain('data-mode="live"');
    child.kill(signal);
    const { code, signal: endedBy, stdout, stderr } = await ended;
    expect({ code, endedBy, stdout }).toEqual({ code: 0, endedBy: null, stdout: `${address}\n` });
    expect(stderr).toBe("Watching outputs; Ctrl-C ends it.\n");
  });

  test("says that the port is taken", async () => {
    const { child } = startCli(["watch", "outputs"], { cwd });
    onTestFinished(() => void child.kill("SIGKILL"));
    const { port } = new URL(await addressOf(child));
    const { code, stderr } = await runCli(["watch", "outputs", "--port", port], { cwd });
    expect(code).toBe(2);
    expect(stderr).toMatch(`error: --port: ${port} is in use by another program; `);
  });
});
