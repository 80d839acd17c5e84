import { fileURLToPath } from 'node:url'

/** The arguments of node that start the command line of this tree: its sources, or the bundle of them that a run of the whole suite makes first. */
export const SERVER_MAIN: readonly string[] = [
  ...(process.env['TEST_NODE_FLAGS']?.split(' ') ?? []),
  process.env['SERVER_MAIN_FILE'] ?? fileURLToPath(new URL('../cli/main.ts', import.meta.url)),
]
