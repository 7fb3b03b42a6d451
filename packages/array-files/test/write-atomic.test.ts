import { spawn, spawnSync } from "node:child_process";
import { chmod, mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { setTimeout } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import type { ArrayFileError } from "../src/index.ts";
import { isFileExistsError, writeFileAtomic, writeSafetensors } from "../src/index.ts";
import { SAMPLE } from "./sample-files.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const temporary = useTemporaryFolder();
const library = new URL("../src/index.ts", import.meta.url).href;

/** The program of a child process: prints the message of the error that `statement` throws. */
function program(statement: string): string[] {
  const source = `
    const { writeFileAtomic } = await import(${JSON.stringify(library)});
    try { ${statement}; console.log("written"); }
    catch (error) { console.log(error.exitCode + " " + error.message); }`;
  return ["--input-type=module", "--disable-warning=ExperimentalWarning", "-e", source];
}

const errorOf = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("was written");
    },
    (error: unknown) => error as ArrayFileError,
  );

describe("a new file", () => {
  it.each([
    ["text", "grüße", "grüße"],
    ["bytes", Uint8Array.of(104, 105), "hi"],
    ["pieces", [Uint8Array.of(104), Uint8Array.of(105)], "hi"],
  ])("of %s", async (_, content, expected) => {
    await writeFileAtomic(temporary("a"), content);
    expect(await readFile(temporary("a"), "utf8")).toBe(expected);
    expect(await readdir(temporary(""))).toEqual(["a"]);
  });

  it("of pieces that come over time", async () => {
    async function* pieces() {
      for (const letter of ["a", "b", "c"]) {
        await setTimeout(1);
        yield new TextEncoder().encode(letter);
      }
    }
    await writeFileAtomic(temporary("a"), pieces());
    expect(await readFile(temporary("a"), "utf8")).toBe("abc");
  });
});

describe("an existing file", () => {
  it("stays as it is unless told otherwise", async () => {
    await writeFile(temporary("a"), "old");
    const error = await errorOf(writeFileAtomic(temporary("a"), "new"));
    expect(error.message).toBe(
      `${temporary("a")}: the file exists already; choose another name or pass --force to replace it`,
    );
    expect(error.exitCode).toBe(2);
    expect(isFileExistsError(error)).toBe(true);
    expect(await readFile(temporary("a"), "utf8")).toBe("old");
    await writeFileAtomic(temporary("a"), "new", { overwrite: true });
    expect(await readFile(temporary("a"), "utf8")).toBe("new");
    expect(await readdir(temporary(""))).toEqual(["a"]);
  });

  it("is also one that is only a broken link", async () => {
    await symlink(temporary("nowhere"), temporary("a"));
    expect(isFileExistsError(await errorOf(writeFileAtomic(temporary("a"), "new")))).toBe(true);
  });

  it("has one winner among writers at the same time", async () => {
    const writes = Array.from({ length: 20 }, (_, i) => writeFileAtomic(temporary("a"), String(i)));
    const results = await Promise.allSettled(writes);
    const winners = results.flatMap((result, i) => (result.status === "fulfilled" ? [i] : []));
    expect(winners).toHaveLength(1);
    expect(await readFile(temporary("a"), "utf8")).toBe(String(winners[0]));
    expect(await readdir(temporary(""))).toEqual(["a"]);
  });
});

describe("a failure leaves nothing and says why", () => {
  it("when the source of the pieces fails", async () => {
    function* pieces() {
      yield Uint8Array.of(1);
      throw new Error("source failed");
    }
    const error = await errorOf(writeFileAtomic(temporary("a"), pieces()));
    expect(error.message).toBe("source failed");
    expect(await readdir(temporary(""))).toEqual([]);
  });

  it("when the folder is missing, is a file, or the path is a folder", async () => {
    expect(await errorOf(writeFileAtomic(temporary("no/a"), ""))).toMatchObject({
      message: `${temporary("no/a")}: cannot write: its folder does not exist; create the folder first`,
      exitCode: 2,
    });
    await writeFile(temporary("file"), "");
    expect(await errorOf(writeFileAtomic(temporary("file/a"), ""))).toMatchObject({
      message: `${temporary("file/a")}: cannot write: part of its path is a file, not a folder; choose another path`,
      exitCode: 2,
    });
    await mkdir(temporary("folder"));
    expect(
      await errorOf(writeFileAtomic(temporary("folder"), "", { overwrite: true })),
    ).toMatchObject({
      message: `${temporary("folder")}: cannot write: it is a folder; give the path of a file`,
      exitCode: 2,
    });
    expect((await readdir(temporary(""))).sort()).toEqual(["file", "folder"]);
  });

  it("when the name is too long", async () => {
    const error = await errorOf(writeFileAtomic(temporary("x".repeat(300)), ""));
    expect(error.message).toContain("its name is too long; choose a shorter name");
    expect(await readdir(temporary(""))).toEqual([]);
  });

  it("when the folder is not writable", async () => {
    await mkdir(temporary("locked"));
    await chmod(temporary("locked"), 0o555);
    await chmod(temporary(""), 0o755);
    const path = JSON.stringify(temporary("locked/a"));
    // Root may write anywhere, so the child becomes another user first.
    const statement = `if (process.getuid() === 0) process.seteuid(65534); await writeFileAtomic(${path}, "new")`;
    const child = spawnSync(process.execPath, program(statement), { encoding: "utf8" });
    expect(child.stdout).toBe(
      `1 ${temporary("locked/a")}: cannot write: permission denied; choose a folder you may write to\n`,
    );
    expect(await readdir(temporary("locked"))).toEqual([]);
  });

  it("when the file gets larger than the process may write", async () => {
    await writeFile(temporary("a"), "old");
    const statement = `await writeFileAtomic(${JSON.stringify(temporary("a"))}, new Uint8Array(1e6), { overwrite: true })`;
    const limited = `trap "" XFSZ; ulimit -f 8; exec "$0" "$@"`;
    const child = spawnSync("bash", ["-c", limited, process.execPath, ...program(statement)], {
      encoding: "utf8",
    });
    expect(child.stdout).toBe(
      `1 ${temporary("a")}: cannot write: the file is larger than allowed here; raise the file-size limit or write less\n`,
    );
    expect(await readdir(temporary(""))).toEqual(["a"]);
    expect(await readFile(temporary("a"), "utf8")).toBe("old");
  });

  const mounts = spawnSync("unshare", ["-rm", "sh", "-c", "mount -t tmpfs none /mnt"]).status === 0;
  if (!mounts)
    console.warn("SKIPPED: full and read-only disk (mounting a small disk is not allowed here)");

  it("when the disk is full, also over an existing file", async ({ skip }) => {
    if (!mounts) skip("needs the right to mount a small file system (unshare -rm)");
    await mkdir(temporary("disk"));
    const path = JSON.stringify(temporary("disk/a"));
    const statement = `
      await writeFileAtomic(${path}, "old");
      try { await writeFileAtomic(${path}, new Uint8Array(1e6), { overwrite: true }); }
      finally {
        const fs = await import("node:fs");
        console.log(fs.readdirSync(${JSON.stringify(temporary("disk"))}).join(), fs.readFileSync(${path}, "utf8"));
      }`;
    const mounted = `mount -t tmpfs -o size=256k none "${temporary("disk")}" && exec "$0" "$@"`;
    const child = spawnSync(
      "unshare",
      ["-rm", "sh", "-c", mounted, process.execPath, ...program(statement)],
      { encoding: "utf8" },
    );
    expect(child.stdout).toBe(
      `a old\n1 ${temporary("disk/a")}: cannot write: the disk is full; free space or choose another folder\n`,
    );
  });

  it("when the disk is read-only", async ({ skip }) => {
    if (!mounts) skip("needs the right to mount a small file system (unshare -rm)");
    await mkdir(temporary("disk"));
    const statement = `await writeFileAtomic(${JSON.stringify(temporary("disk/a"))}, "new")`;
    const mounted = `mount -t tmpfs -o ro none "${temporary("disk")}" && exec "$0" "$@"`;
    const child = spawnSync(
      "unshare",
      ["-rm", "sh", "-c", mounted, process.execPath, ...program(statement)],
      { encoding: "utf8" },
    );
    expect(child.stdout).toBe(
      `1 ${temporary("disk/a")}: cannot write: the file system is read-only; choose a folder you may write to\n`,
    );
  });
});

it("a writer that is killed leaves the old content", async () => {
  await writeFile(temporary("a"), "old");
  const statement = `
    const pieces = async function* () {
      for (;;) { yield new Uint8Array(65536); console.log("wrote"); await new Promise((r) => setTimeout(r, 5)); }
    };
    await writeFileAtomic(${JSON.stringify(temporary("a"))}, pieces(), { overwrite: true })`;
  const child = spawn(process.execPath, program(statement));
  await new Promise((resolve) => child.stdout.once("data", resolve));
  const closed = new Promise((resolve) => child.once("close", resolve));
  child.kill("SIGKILL");
  await closed;
  expect(await readFile(temporary("a"), "utf8")).toBe("old");
  const others = (await readdir(temporary(""))).filter((name) => name !== "a");
  for (const name of others) expect(name).toMatch(/^\.a\.\d+\.[0-9a-f]{12}\.tmp$/);
  await writeFileAtomic(temporary("a"), "new", { overwrite: true });
  expect(await readFile(temporary("a"), "utf8")).toBe("new");
});

it("array files are never replaced without being told", async () => {
  await writeSafetensors(temporary("a.safetensors"), SAMPLE);
  expect(
    isFileExistsError(await errorOf(writeSafetensors(temporary("a.safetensors"), SAMPLE))),
  ).toBe(true);
});
