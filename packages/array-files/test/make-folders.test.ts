import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { makeFolders } from "../src/index.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const temporary = useTemporaryFolder();

it("makes a folder with its parents, and is content with one that is there", async () => {
  await makeFolders(temporary("a/b/c"));
  await makeFolders(temporary("a/b/c"));
  expect((await stat(temporary("a/b/c"))).isDirectory()).toBe(true);
});

it("makes the same folder many times at once", async () => {
  await Promise.all(Array.from({ length: 20 }, () => makeFolders(temporary("x/y/z"))));
  expect(await readdir(temporary("x/y"))).toEqual(["z"]);
});

it("refuses what is, or lies in, a file", async () => {
  await mkdir(temporary("place"));
  await writeFile(temporary("place/file"), "");
  await expect(makeFolders(temporary("place/file"))).rejects.toMatchObject({ code: "EEXIST" });
  await expect(makeFolders(temporary("place/file/in"))).rejects.toMatchObject({ code: "ENOTDIR" });
});
