/** The packages of a block that is one `npm install`, which is not run; undefined for other blocks. */
export function installedPackages(code: string): readonly string[] | undefined {
  const command = code.trim().replaceAll("\\\n", " ");
  if (!/^npm (install|i) /.test(command) || command.includes("\n")) return undefined;
  return command
    .split(/\s+/)
    .slice(2)
    .filter((word) => !word.startsWith("-"));
}
