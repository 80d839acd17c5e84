import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    // Pinned to sources: built copies under dist/ must never be collected.
    include: ['packages/*/src/**/*.test.ts', 'tests/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    globalSetup: ['./tests/postgres.ts'],
    pool: 'forks',
    // The processes that tests start read their sources compiled: most of a start is reading and stripping a few hundred files.
    env: { NODE_COMPILE_CACHE: fileURLToPath(new URL('./node_modules/.cache/compiled', import.meta.url)) },
    testTimeout: 20_000,
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    allowOnly: false,
    passWithNoTests: false,
    reporters: ['default', './scripts/closing-line.mjs'],
  },
})
