// First step of a package's build: what an earlier build made of files that are gone must not be packed.
import { rmSync } from "node:fs";

rmSync("dist", { recursive: true, force: true });
