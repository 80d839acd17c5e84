import { fileURLToPath } from 'node:url'

/**
 * The command line of the server of this tree: its sources, or the bundle of them that a run of the whole suite makes first (`scripts/bundle-server.mjs`),
 * because it starts in half the time.
 */
export const SERVER_MAIN = process.env.SERVER_MAIN_FILE ?? fileURLToPath(new URL('../../evergrant/src/cli/main.ts', import.meta.url))
