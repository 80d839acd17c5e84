// Regular expressions that a hostile text makes slow (S105, W1333): each one of the source is counted, none is timed.
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { type Attack, growthOf, textOf } from './regexps/attacks.ts'
import { type FoundPattern, patternsIn } from './regexps/found-in.ts'
import { readPattern } from './regexps/pattern.ts'
import { matches } from './regexps/steps.ts'
import { sourceTree } from './tidy/source-tree.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const sources = sourceTree(root).filter(
  ({ path }) => /^packages\/(?:evergrant|sdk)\/src\/.*\.tsx?$/.test(path) && !/\.test\.tsx?$|\/(?:testing|conformance|practice)\//.test(path),
)
const found = sources.map(({ path, text }) => patternsIn(path, text))
const patterns = found.flatMap((one) => one.patterns)

/** Steeper than their text, and why nobody can use that: `file source`. */
const ADDRESS = 'an address that an operator wrote into the configuration or a record'
const OWN_BASE64 = 'base64 that was written here: two signs at its end at most'
const BOUNDED: Readonly<Record<string, string>> = {
  'packages/evergrant/src/config.ts \\/+$': ADDRESS,
  'packages/evergrant/src/http/below-path.ts \\/+$': ADDRESS,
  'packages/evergrant/src/observability/otlp.ts \\/+$': ADDRESS,
  'packages/evergrant/src/core/provider/api.ts \\/+$': ADDRESS,
  'packages/sdk/src/browser/create.ts \\/+$': ADDRESS,
  'packages/sdk/src/transport.ts \\/+$': ADDRESS,
  'packages/sdk/src/node/agent/server-link.ts \\/+$': ADDRESS,
  'packages/sdk/src/node/authenticator.ts \\/+$': ADDRESS,
  'packages/sdk/src/node/request-headers.ts \\/+$': ADDRESS,
  'packages/evergrant/src/core/provider/base64url.ts =+$': OWN_BASE64,
  'packages/evergrant/src/seal/password-hash.ts =+$': OWN_BASE64,
  'packages/sdk/src/proof/base64url.ts =+$': OWN_BASE64,
  'packages/evergrant/src/core/alert/report-words.ts \\B(?=(?:\\d{3})+$)': 'the digits of one number',
  'packages/evergrant/src/core/observe/overview.ts \\B(?=(\\d{3})+$)': 'the digits of one number',
  'packages/evergrant/src/core/provider/template.ts :.*$': 'a host and port that fitted their pattern before, so there is one colon',
  'packages/evergrant/src/providers/catalogue/amazon-sp-api.ts LWA secret token .* expired': 'an error of Amazon, 64 KB at most',
  'packages/evergrant/src/http/docs/runbook-pages.ts \\[([^\\]]+)\\]\\(([^)]+)\\)': 'our own runbooks',
}

const IDS = 'the pattern of an id, in which every length is fixed'
const RECORD = 'of a provider record: those of the catalogue are judged here, others are the word of whoever runs this server'
/** Put together at run time: out of what. */
const BUILT: Readonly<Record<string, string>> = {
  'packages/evergrant/src/cli/import/csv-source.ts': 'the separator of a table that somebody imports at their own terminal',
  'packages/evergrant/src/core/agent/agent-tokens.ts': IDS,
  'packages/evergrant/src/core/agent/device-service.ts': 'an alphabet and a length',
  'packages/evergrant/src/core/agent/sdk-refresh-token.ts': IDS,
  'packages/evergrant/src/core/connect/choices.ts': IDS,
  'packages/evergrant/src/core/connect/repair-link.ts': IDS,
  'packages/evergrant/src/core/identity/recovery-codes.ts': 'a length',
  'packages/evergrant/src/core/provider/account.ts': RECORD,
  'packages/evergrant/src/core/provider/answer-path.ts': RECORD,
  'packages/evergrant/src/core/provider/beside-body.ts': 'names of headers and cookies, each of one class of characters',
  'packages/evergrant/src/core/provider/template.ts': RECORD,
  'packages/evergrant/src/core/push/read-push.ts': RECORD,
  'packages/evergrant/src/core/push/receive-push.ts': IDS,
  'packages/evergrant/src/core/session/access-token.ts': IDS,
  'packages/evergrant/src/core/session/refresh-credential.ts': IDS,
  'packages/evergrant/src/core/user/user-of-owner.ts': IDS,
  'packages/evergrant/src/http/connect/language.ts': 'the name of our cookie',
  'packages/evergrant/src/http/fast-lane.ts': IDS,
  'packages/evergrant/src/http/id-page.ts': IDS,
  'packages/evergrant/src/http/method-table.ts': 'the paths of our routes: one class of characters between slashes',
  'packages/evergrant/src/http/pages/device-routes.ts': IDS,
  'packages/evergrant/src/http/pages/me-routes.ts': IDS,
  'packages/evergrant/src/http/pages/own-connections.ts': IDS,
  'packages/evergrant/src/http/pages/programs-routes.ts': IDS,
  'packages/evergrant/src/http/pages/security-routes.ts': IDS,
  'packages/evergrant/src/http/routes/uses.ts': IDS,
  'packages/evergrant/src/http/try-it/try-it.ts': IDS,
  'packages/evergrant/src/providers/check-draft.ts': RECORD,
  'packages/evergrant/src/providers/check-requests.ts': RECORD,
  'packages/evergrant/src/store/migrations/losses.ts': 'names of our tables',
}

const nameOf = ({ where, source }: FoundPattern): string => `${where.replace(/:\d+$/, '')} ${source}`

interface Judged {
  readonly found: FoundPattern
  readonly steep: Attack | null
  readonly costliest: Attack | null
}

/** Each text once, however many files have it. */
const judged: readonly Judged[] = [...new Map(patterns.map((found) => [`${found.source}/${found.flags}`, found])).values()].map((found) => ({
  found,
  ...growthOf(readPattern(found.source, found.flags), found.flags),
}))

test('every pattern of the sources is seen, and where one is put together at run time it is known out of what', () => {
  expect(sources.length).toBeGreaterThan(500)
  expect(patterns.length).toBeGreaterThan(350)
  const built = found.flatMap((one) => one.built).map((where) => where.replace(/:\d+$/, ''))
  expect(built.filter((path) => BUILT[path] === undefined)).toEqual([])
  expect(Object.keys(BUILT).filter((path) => !built.includes(path))).toEqual([])
})

test('no pattern takes more than its share of a longer text, whatever the text is made of (S105)', () => {
  const steep = judged.filter((one) => one.steep !== null)
  const places = (one: Judged): readonly string[] =>
    patterns.filter(({ source, flags }) => source === one.found.source && flags === one.found.flags).map(nameOf)
  expect(
    steep.flatMap((one) =>
      places(one)
        .filter((name) => BOUNDED[name] === undefined)
        .map((name) => `${name} with ${JSON.stringify(one.steep)}`),
    ),
  ).toEqual([])
  const known = new Set(steep.flatMap(places))
  expect(Object.keys(BOUNDED).filter((name) => !known.has(name))).toEqual([])
})

test('the engine itself ends with each of them on 100 KB of what costs most (S105)', { timeout: 60_000 }, () => {
  let tried = 0
  for (const { found, steep, costliest } of judged) {
    if (steep !== null || costliest === null) continue
    void new RegExp(found.source, found.flags).test(textOf(costliest, 100_000))
    tried += 1
  }
  expect(tried).toBeGreaterThan(250)
})

test.each([
  ['(a+)+$', '', 'powers'],
  ['^(?:[a-z]|[a-f0-9])*$', 'u', 'a choice in which both fit'],
  ['\\s+$', '', 'a search that begins anew at every place'],
  ['^\\s*,\\s*,?\\s*$', '', 'neighbours that take the same'],
  ['<[^>]*>', 'g', 'an end that never comes'],
  ['^(.*?,)*x', '', 'lazy ones inside a repetition'],
])('%s is found to be steep: %s%s', (source, flags) => {
  expect(growthOf(readPattern(source, flags), flags).steep).not.toBeNull()
})

test.each([
  ['^[A-Za-z0-9_-]{43}$', ''],
  ['(?<!/)/+$', ''],
  ['^(?<year>\\d{4})-(?:0[1-9]|1[0-2])$', 'u'],
  ['\\p{Surrogate}', 'gu'],
  ['([ab])\\1', ''],
])('%s is not', (source, flags) => {
  expect(growthOf(readPattern(source, flags), flags).steep).toBeNull()
})

test('the counted matcher finds what the engine finds', () => {
  const texts = ['', 'a', 'ab,c', '2026-01-31', 'x=1; y="2"', 'aaaa!', 'https://a.example:443/b?c', 'con_01890000-0000-7000-8000-000000000000', 'Bearer abc']
  for (const { found } of judged)
    for (const text of texts) {
      const engine = new RegExp(found.source, found.flags.replace(/[gy]/g, '')).test(text)
      if (found.flags.includes('y')) continue
      expect([found.source, text, matches(readPattern(found.source, found.flags), found.flags, text)]).toEqual([found.source, text, engine])
    }
})
