// What `npm run coverage` measures: four groups of files, each with its floor and with the tests that run it.

export interface CoverageGroup {
  readonly name: string
  readonly what: string
  /** Per cent of lines and of branches that must be covered. */
  readonly floor: number
  readonly files: readonly string[]
  readonly notFiles: readonly string[]
  /** Enough of the suite for a quick look at this group. */
  readonly tests: readonly string[]
}

const SERVER = 'packages/evergrant/src'
const of = (folder: string, names: string): string[] => names.split(' ').map((name) => `${SERVER}/${folder}/${name}.ts`)

const AUTHENTICATION = [
  ...of('http', 'authentication installation-authentication admission agent-caller fast-lane rate-limit'),
  ...of('http/auth', 'same-site validate-lane session-cookie auth-headers'),
  ...of('core/session', 'session-guard token-reader second-factor recent-proof'),
  ...of('core/agent', 'installation-guard stopped'),
  ...of('core/access', 'api-keys-service key-text'),
  ...of('core/proof', 'dpop dpop-proofs dpop-nonces proof-target'),
  ...of('core/user', 'roles'),
]

const TOKENS = [
  ...of('core/session', 'access-token refresh-credential rotation presentation recent-map signing-key signing-keys session-service'),
  ...of('core/agent', 'agent-tokens sdk-refresh-token sdk-rotation'),
  ...of('core/refresh', 'plan flights token-cache token-budget rejection-guard renewal own-renewal held-token patience interest admission'),
  ...of('seal', 'token-signer'),
]

const ERRORS = [
  `${SERVER}/core/fault/*.ts`,
  ...of('http', 'problem validation'),
  ...of('http/connect', 'problem-texts outcome-pages'),
  ...of('core/refresh', 'caller-faults record-failure backoff retry-budget endpoint-breaker'),
  ...of('core/session', 'session-refusals'),
  ...of('core/agent', 'sdk-refusals'),
]

export const COVERAGE_GROUPS: readonly CoverageGroup[] = [
  {
    name: 'auth',
    what: 'authentication middleware: who sends a request, and whether they may',
    floor: 100,
    files: AUTHENTICATION,
    notFiles: [],
    tests: [
      `${SERVER}/http/*.test.ts`,
      `${SERVER}/http/auth/*.test.ts`,
      `${SERVER}/http/pages/*.test.ts`,
      `${SERVER}/core/{session,agent,access,proof,user,identity}/*.test.ts`,
    ],
  },
  {
    name: 'tokens',
    what: 'token manager: what issues, renews, keeps and hands out tokens',
    floor: 100,
    files: TOKENS,
    notFiles: [],
    tests: [`${SERVER}/core/{session,agent,refresh}/*.test.ts`, `${SERVER}/seal/*.test.ts`, `${SERVER}/http/*.test.ts`, `${SERVER}/http/auth/*.test.ts`],
  },
  {
    name: 'api',
    what: 'everything that answers over HTTP',
    floor: 90,
    files: [`${SERVER}/http/**/*.ts`],
    notFiles: [],
    tests: [`${SERVER}/http/**/*.test.ts`],
  },
  {
    name: 'errors',
    what: 'what turns a failure into an answer, a retry or a sentence',
    floor: 95,
    files: ERRORS,
    notFiles: [],
    tests: [`${SERVER}/core/{fault,refresh,session,agent}/*.test.ts`, `${SERVER}/http/**/*.test.ts`],
  },
]
