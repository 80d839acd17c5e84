import { rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongFirst } from './tests/long-first.ts'
import { memoryFolder } from './tests/memory-folder.ts'
import { PATIENCE_MS } from './tests/patience-time.ts'

/** No process, no socket, nothing global: they share one worker's modules, so that a file costs what its tests cost. */
const PURE = ['packages/evergrant/src/{core,providers}/**/*.test.ts']
/** These kill, count and wait, or replace something of the process, as a clock, a variable, a resolver or a module: each has its worker to itself. */
const STRIKING = ['**/fail-nth.test.ts', '**/fault-storm.test.ts', '**/crowded-line.test.ts']
const ALONE = [
  ...STRIKING,
  'bench/**/*.test.ts',
  'packages/console/src/**/*.test.tsx',
  'packages/evergrant/src/cli/{agents,backup,compiled-code,health,provider-probe}.test.ts',
  'packages/evergrant/src/journal/high-water-file.test.ts',
  'packages/evergrant/src/outbound/{ssrf-oracle,token-endpoint}.test.ts',
  'packages/evergrant/src/seal/key-file.test.ts',
  'packages/evergrant/src/store/**/{postgres-store,postgres-nodes,statements}.test.ts',
  'packages/lab/src/simulate/*.test.ts',
  'packages/sdk/src/browser/{chromium,client,connections,tabs,wake}.test.ts',
  'packages/sdk/src/node/**/{authenticator,race,sources}.test.ts',
  'packages/sdk/src/react/**/*.test.{ts,tsx}',
  'tests/e2e/{connect-pages,unforeseen-error}.test.ts',
]
/** Each opens an app and a database of its own in this process: the modules of the server are read once for all of them. */
const IN_PROCESS = ['packages/evergrant/src/http/**/*.test.ts']
/** Small things with sockets and files of their own. What replaces something of the process, as a clock, a variable or a resolver, has its worker to itself. */
const PARTS = [
  'packages/evergrant/src/{backup,journal,observability,outbound,practice,schedule,seal}/**/!(high-water-file|key-file|ssrf-oracle|token-endpoint).test.ts',
  'packages/evergrant/src/*.test.ts',
  'packages/evergrant/src/cli/{import/*,*-findings,free-port,lean-process,memory-doors,output,providers-check}.test.ts',
  'packages/console/src/**/*.test.ts',
  'packages/evergrant/src/store/**/!(postgres-store|postgres-nodes|statements).test.ts',
  'packages/sdk/src/{axios,cli,proof,testing}/**/*.test.ts',
  'packages/sdk/src/node/**/!(authenticator|race|sources).test.ts',
  'packages/sdk/src/browser/**/!(chromium|client|connections|tabs|wake).test.ts',
  'tests/*.test.ts',
]
/** What starts and soon ends makes much that is young: with room for it, from the first moment, a start takes a fifth less of the processor. */
const ROOM_FOR_THE_YOUNG = '--max-semi-space-size=32'
/** No option of the environment: whoever starts a process gives it. */
const AT_ONCE = '--min-semi-space-size=16'
/** A server that was given both sizes does not replace itself by one that has them; what it chooses itself has tests of its own. */
const OLD_ONES = '--max-old-space-size=2048'
const BUILT = ['**/node_modules/**', '**/dist/**']

/** For this process, which starts the database server, and for every worker and everything that they start. */
const memory = memoryFolder()
if (memory !== null) {
  process.env['TMPDIR'] = memory
  process.once('exit', () => rmSync(memory, { recursive: true, force: true }))
}

export default defineConfig({
  resolve: {
    alias: Object.entries({
      '': 'index',
      '/browser': 'browser/index',
      '/node': 'node/index',
      '/express': 'node/express',
      '/fastify': 'node/fastify',
      '/next': 'node/next',
    }).map(([door, file]) => ({
      find: new RegExp(`^@evergrant/sdk${door}$`),
      replacement: fileURLToPath(new URL(`./packages/sdk/src/${file}.ts`, import.meta.url)),
    })),
  },
  test: {
    // Pinned to sources: built copies under dist/ must never be collected.
    projects: [
      { extends: true, test: { name: 'pure', include: PURE, exclude: [...BUILT, ...STRIKING], isolate: false } },
      { extends: true, test: { name: 'http', include: IN_PROCESS, exclude: BUILT, isolate: false } },
      { extends: true, test: { name: 'parts', include: PARTS, exclude: BUILT, isolate: false } },
      {
        extends: true,
        test: {
          name: 'whole',
          include: ['packages/*/src/**/*.test.{ts,tsx}', 'tests/**/*.test.ts'],
          exclude: [...BUILT, ...IN_PROCESS, ...PARTS, ...PURE, ...ALONE],
          isolate: false,
        },
      },
      { extends: true, test: { name: 'alone', include: ALONE, exclude: BUILT } },
    ],
    globalSetup: ['./tests/postgres.ts'],
    pool: 'forks',
    // Most files wait for sockets, processes and browsers, so there are more workers than processors; with five on two, each of them computes for longer than it saves.
    maxWorkers: Math.max(4, availableParallelism() - 1),
    execArgv: [ROOM_FOR_THE_YOUNG, AT_ONCE],
    // The processes that tests start read their sources compiled: most of a start is reading and stripping a few hundred files.
    env: {
      NODE_COMPILE_CACHE: fileURLToPath(new URL('./node_modules/.cache/compiled', import.meta.url)),
      NODE_OPTIONS: `${ROOM_FOR_THE_YOUNG} ${OLD_ONES}`,
      TEST_NODE_FLAGS: AT_ONCE,
      // Goes with the folder.
      ...(memory === null ? {} : { POSTGRES_TEMPLATE: join(memory, 'empty-cluster') }),
    },
    setupFiles: ['./tests/patience.ts'],
    testTimeout: 20_000,
    // What a test waits for comes at once, or late on a machine that runs three tests at a time.
    expect: { poll: { timeout: PATIENCE_MS } },
    hookTimeout: 120_000,
    teardownTimeout: 20_000,
    sequence: { sequencer: LongFirst },
    allowOnly: false,
    passWithNoTests: false,
    reporters: ['default', './scripts/closing-line.mjs'],
  },
})
