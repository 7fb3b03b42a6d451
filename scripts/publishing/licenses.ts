import { installedWithOurs } from "./installed-packages.ts";

/** Licenses under which others' packages may come with ours: all let anyone use and pass them on. */
export const allowedLicenses = [
  "0BSD",
  "Apache-2.0",
  "BSD-2-Clause",
  "BSD-3-Clause",
  "Bitstream-Vera",
  "BlueOak-1.0.0",
  "ISC",
  "MIT",
  "MIT-0",
  "MPL-2.0",
  "Unlicense",
];

/** What a package means whose package.json has no name of a license. */
const readByUs: Readonly<Record<string, string>> = { "dejavu-fonts-ttf": "Bitstream-Vera" };

export interface LicensedPackage {
  readonly name: string;
  readonly version: string;
  readonly license: string;
  readonly neededBy: readonly string[];
}

/** Everything that comes with our packages, by name. */
export async function licensedPackages(): Promise<LicensedPackage[]> {
  const found = [...(await installedWithOurs())].map(([{ name, version, license }, neededBy]) => ({
    name,
    version,
    license: readByUs[name] ?? license,
    neededBy,
  }));
  return found.sort((a, b) => compare(a.name, b.name) || compare(a.version, b.version));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/** docs/licenses.md */
export function licensesPage(packages: readonly LicensedPackage[]): string {
  const rows = packages.map(
    ({ name, version, license, neededBy }) =>
      `| \`${name}\` | ${version} | ${license} | ${neededBy.join(", ")} |`,
  );
  return `# Licenses

implicit-rank is under the [MIT license](https://opensource.org/license/mit). These ${packages.length} packages of
others come with it when it is installed, in the versions of \`package-lock.json\`; the last column tells with which of
its packages. None of them runs a script at installation.

- \`dejavu-fonts-ttf\` has the fonts of the figures, under the Bitstream Vera license, with changes in the public
  domain: they may be passed on with any software, not sold by themselves, and changed ones need another name.
- \`@resvg/resvg-js\` is under the Mozilla Public License, which asks for its own source only; it is used as it is
  published, one of its binaries on each platform.
- The page of reports contains parts of \`d3-scale\`, \`d3-scale-chromatic\` and what they depend on (ISC).
- The backends of TensorFlow.js that the command line can load (\`@tensorflow/tfjs-node\` and others) are installed by
  who wants them, and are not listed.

| package | version | license | comes with |
| --- | --- | --- | --- |
${rows.join("\n")}

\`npm run licenses\` writes this page.
`;
}
