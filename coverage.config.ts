import { defineConfig, mergeConfig } from 'vitest/config'
import suite from './vitest.config.ts'

/** The suite as `scripts/coverage.ts` runs it: files and reports come from there. Processes that tests start are not measured. */
export default mergeConfig(
  suite,
  defineConfig({
    test: {
      // Every branch is counted, so what takes seconds takes longer.
      testTimeout: 120_000,
      coverage: {
        provider: 'v8',
        reporter: ['json', 'json-summary'],
        reportsDirectory: 'coverage',
        reportOnFailure: true,
        exclude: ['**/*.test.ts', '**/testing/**', '**/dist/**'],
      },
    },
  }),
)
