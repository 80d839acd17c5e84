import { BaseSequencer, type TestSpecification } from 'vitest/node'

/**
 * What takes longest alone, longest first. A clone has no times of an earlier run, and the runner would go by the size of the files: a short file that kills
 * servers for three minutes would begin last and leave every other worker idle.
 */
const LONG: readonly string[] = [
  'tests/e2e/chaos.test.ts',
  'tests/e2e/upgrade.test.ts',
  'tests/e2e/console-journeys.test.ts',
  'tests/e2e/session-chaos.test.ts',
  'tests/e2e/weather-agent.test.ts',
  'tests/e2e/two-nodes.test.ts',
  'tests/e2e/session-theft.test.ts',
  'tests/e2e/restored-database.test.ts',
  'packages/lab/src/conformance/conformance.test.ts',
  'tests/e2e/planted-secrets.test.ts',
  'tests/e2e/connect-pages.test.ts',
  'tests/e2e/people-pages.test.ts',
  'packages/evergrant/src/cli/cli.test.ts',
  'packages/evergrant/src/core/refresh/fail-nth.test.ts',
  'packages/evergrant/src/cli/import.test.ts',
  'tests/e2e/lost-node.test.ts',
  'tests/e2e/kill-nine.test.ts',
  'tests/e2e/provider-trouble.test.ts',
  'tests/e2e/cross-node.test.ts',
  'tests/e2e/console-features.test.ts',
  'tests/e2e/connect-safety.test.ts',
  'tests/e2e/python-agent.test.ts',
  'packages/lab/src/simulate/mutants.test.ts',
  'tests/e2e/database-cut.test.ts',
  'packages/evergrant/src/store/migrations/upgrade.test.ts',
  'packages/evergrant/src/core/refresh/fault-storm.test.ts',
  'tests/e2e/console-keys.test.ts',
  'tests/e2e/react-spa.test.ts',
  'packages/sdk/src/node/agent/race.test.ts',
  'packages/evergrant/src/cli/keys.test.ts',
  'packages/evergrant/src/store/postgres/postgres-store.test.ts',
  'tests/e2e/oidc-rotation.test.ts',
  'packages/evergrant/src/store/plans.test.ts',
  'packages/lab/src/simulate/seeds.test.ts',
  'packages/evergrant/src/http/role-matrix.test.ts',
  'packages/evergrant/src/http/api-fuzz.test.ts',
  'packages/evergrant/src/http/auth/sdk.test.ts',
]

const NOT_LONG = LONG.length
/** What waits for processes and browsers comes before what only computes: the short files of the last ones fill the end, when no long one is left. */
const PROJECTS: readonly string[] = ['whole', 'alone', 'http', 'parts', 'pure']

/** A worker that is shared is kept while the next file is of its project: the files of one come one after the other. */
function project(file: TestSpecification): number {
  return PROJECTS.indexOf(file.project.name)
}

function place({ moduleId }: TestSpecification): number {
  const found = LONG.findIndex((name) => moduleId.endsWith(`/${name}`))
  return found === -1 ? NOT_LONG : found
}

export class LongFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const sorted = await super.sort(files)
    return sorted.toSorted((left, right) => project(left) - project(right) || place(left) - place(right))
  }
}
