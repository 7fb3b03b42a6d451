import { cp, mkdir, mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { CANNOT_MOUNT, mountSmallDisk } from "../mounts/small-disk.ts";
import { callCli } from "../programs/call-cli.ts";
import { brokenFiles, filesBelow, isUnfinished } from "../programs/whole-files.ts";
import { writingCommands } from "../writes/writing-commands.ts";

const scratch = await realpath(await mkdtemp(join(tmpdir(), "reliability-full-")));
const disk = mountSmallDisk(8192);
afterAll(async () => {
  disk?.remove();
  await rm(scratch, { recursive: true, force: true });
});

/** So much is left: nothing at all, or enough to begin. */
const FREE_KIB = [0, 20];

describe.runIf(disk !== undefined)(
  "on a full disk: one line, nothing half-written, and it goes on once there is space",
  async () => {
    const commands = await writingCommands(scratch);
    it.each(commands)("$name", { timeout: 120_000 }, async (tried) => {
      for (const free of FREE_KIB) {
        const folder = join(disk!.folder, "work");
        await mkdir(folder);
        await cp(tried.prepared, folder, { recursive: true });
        disk!.fill(free);
        const { code, stderr } = await callCli(tried.command, folder);
        if (code !== 0) {
          expect(code).toBe(1);
          const errors = stderr.split("\n").filter((line) => line.startsWith("error: "));
          expect(errors).toEqual([
            expect.stringMatching(/the disk is full; .*free .*space|; free space/),
          ]);
          expect(stderr).not.toContain("This should not happen");
        } else {
          // A few small files may still fit into what is left.
          expect(free).toBeGreaterThan(0);
        }
        expect(await brokenFiles(folder)).toEqual([]);
        expect((await filesBelow(folder)).filter(isUnfinished)).toEqual([]);
        disk!.empty();
        const next = tried.again === undefined ? tried.command : await tried.again(folder);
        if (next !== undefined) expect(await callCli(next, folder)).toMatchObject({ code: 0 });
        await rm(folder, { recursive: true });
      }
    });

    it("a sweep that has its runs before it", { timeout: 120_000 }, async () => {
      const { prepared, command } = commands.find(({ name }) => name === "sweep that is finished")!;
      const folder = join(disk!.folder, "work");
      await cp(join(prepared, "m.safetensors"), join(folder, "m.safetensors"));
      disk!.fill(30);
      const talking = command.replace(" --quiet", "");
      const { code, stdout, stderr } = await callCli(talking, folder);
      expect(code).toBe(1);
      expect(stdout + stderr).toMatch(/: the disk is full; free /);
      expect(await brokenFiles(folder)).toEqual([]);
      disk!.empty();
      expect(await callCli(`${talking} --retry`, folder)).toMatchObject({ code: 0 });
      expect(await brokenFiles(folder)).toEqual([]);
      await rm(folder, { recursive: true });
    });
  },
);

if (disk === undefined)
  describe("on a full disk", () => {
    it("is tried", (context) => context.skip(CANNOT_MOUNT));
  });
