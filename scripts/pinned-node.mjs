/**
 * `npm run` puts node_modules/.bin first on PATH, where the pinned Node is; a script started by
 * hand gets the machine's own.
 *
 * @param {string} command  what to type instead
 */
export function requirePinnedNode(command) {
  const [major = 0] = process.versions.node.split(".").map(Number);
  if (major >= 24) return;
  console.error(
    `This is Node ${process.versions.node}; development needs the pinned Node 24: run "${command}" in the root of the repository.`,
  );
  process.exit(1);
}
