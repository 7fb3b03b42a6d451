import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { expect, test } from "vitest";
import { everythingInstalled, installedWithOurs } from "../publishing/installed-packages.ts";
import { allowedLicenses, licensedPackages, licensesPage } from "../publishing/licenses.ts";
import { npm } from "../publishing/npm.ts";
import { readPublishedManifests, root } from "../publishing/published-packages.ts";
import { patient } from "./published/consumer-project.ts";

test("what comes with our packages has a license that lets anyone use it", async () => {
  const packages = await licensedPackages();
  expect(packages.length).toBeGreaterThan(50);
  expect(packages.filter(({ license }) => !allowedLicenses.includes(license))).toEqual([]);
});

test("the page of licenses is up to date: else run npm run licenses", async () => {
  const path = join(root, "docs", "licenses.md");
  const page = licensesPage(await licensedPackages());
  const formatted = await format(page, { ...(await resolveConfig(path)), filepath: path });
  expect(await readFile(path, "utf8")).toBe(formatted);
});

test("what comes with our packages runs no script when it is installed", async () => {
  const packages = [...(await installedWithOurs()).keys()];
  expect(packages.filter(({ hasInstallScript }) => hasInstallScript)).toEqual([]);
});

test("of what development installs, it is decided whose scripts run", async () => {
  const { allowScripts } = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
  const withScripts = (await everythingInstalled()).filter(
    ({ hasInstallScript }) => hasInstallScript,
  );
  const names = new Set(withScripts.map(({ name }) => name));
  expect(Object.keys(allowScripts).sort()).toEqual([...names].sort());
});

test(
  "no vulnerability of high severity is known of what users install",
  { timeout: patient },
  async (context) => {
    const workspaces = (await readPublishedManifests()).flatMap(({ name }) => ["-w", name]);
    const args = ["audit", "--omit=dev", "--fetch-retries=0", "--json", ...workspaces];
    const audit: AuditReport = JSON.parse(
      await npm(root, args).then(
        ({ stdout }) => stdout,
        (error) => error.stdout || "{}",
      ),
    );
    if (audit.vulnerabilities === undefined)
      return context.skip(`the registry answers no audits here: ${audit.message ?? "no report"}`);
    const serious = Object.values(audit.vulnerabilities).filter(({ severity }) =>
      ["high", "critical"].includes(severity),
    );
    expect(serious).toEqual([]);
  },
);

interface AuditReport {
  readonly message?: string;
  readonly vulnerabilities?: Readonly<Record<string, { readonly severity: string }>>;
}
