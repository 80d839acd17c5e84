import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { JsonValue } from '../core/json.ts'
import { judgeApiAnswer } from '../core/provider/api.ts'
import type { ProviderContext } from '../core/provider/context.ts'
import { judge } from '../core/provider/judge.ts'
import { isLax } from '../core/provider/reuse-of.ts'
import type { TokenStep } from '../core/provider/verdict.ts'
import { answered, contextOf } from '../testing/provider-contexts.ts'
import { type JudgedAs, judgedAs, SENT } from '../testing/record-facts.ts'
import { catalogue } from './index.ts'

interface CollectedError {
  readonly status: number | null
  readonly body: JsonValue
  readonly meaning: string
  readonly class: string
}

interface Collected {
  readonly id: string
  readonly authorize_url: string | null
  readonly token_url: string | null
  readonly client_auth: string | null
  readonly token_body_format: string | null
  readonly scope_separator: string | null
  readonly default_scopes: readonly string[] | null
  readonly access_token_ttl_s: number | null
  readonly refresh_rotation: string | null
  readonly rotation_reuse: string | null
  readonly refresh_error_codes: readonly CollectedError[] | null
}

/** A larger collection of provider facts, kept outside the repository. The tests beside each record hold without it. */
const file = new URL('../../../../../shared/reference/providers.json', import.meta.url)
const RECORD_OF: Readonly<Record<string, string>> = { 'github-oauth-app': 'github', 'github-app-user': 'github-app', 'generic-oidc': 'oidc' }

function collection(): Collected[] {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return []
  }
}

/** Bodies that the collection describes in words: what such an answer looks like. */
const DESCRIBED: readonly (readonly [RegExp, JsonValue])[] = [
  [/not attached to Agent/, [{ message: 'Connected app is not attached to Agent', errorCode: 'UNKNOWN' }]],
  [/INVALID_OAUTHTOKEN/, { code: 'INVALID_OAUTHTOKEN', status: 'error' }],
]

type Reading = (judged: { readonly refresh: string; readonly exchange: string; readonly api: string; readonly ofApi: boolean }) => boolean

const DEAD: ReadonlySet<string> = new Set<JudgedAs>(['dead', 'expired', 'admin_approval'])

/** The classes of the collection in the words of a record. `ofApi`: the collection says that the body is an answer of the API. */
const CLASSES: Readonly<Record<string, Reading>> = {
  terminal_reauth: ({ refresh, api, ofApi }) => (ofApi ? api === 'token_rejected' : DEAD.has(refresh)),
  terminal_restart_flow: ({ exchange }) => exchange === 'restart_flow',
  transient: ({ refresh, api, ofApi }) => (ofApi ? api === 'throttled' : refresh === 'throttled' || refresh === 'unknown'),
  config: ({ refresh, exchange, api, ofApi }) => (ofApi ? api === 'not_about_the_token' : refresh === 'config' && exchange === 'config'),
  bug: ({ refresh, exchange }) => refresh === 'config' && exchange === 'config',
  refresh_then_retry: ({ api }) => api === 'token_rejected',
  refresh_then_retry_once: ({ api }) => api === 'token_rejected',
  scope_missing: ({ api }) => api === 'scope_missing',
  inspect_status: ({ refresh, exchange }) => refresh === 'unknown' && exchange === 'unknown',
  needs_revoke_then_reauth: ({ refresh }) => refresh !== 'granted' && !DEAD.has(refresh),
}

const collected = collection()
const errors = collected.flatMap((entry) =>
  (entry.refresh_error_codes ?? []).map((error) => ({
    id: RECORD_OF[entry.id] ?? entry.id,
    error,
    line: `${entry.id} ${error.status} ${JSON.stringify(error.body)}`,
  })),
)

async function readingOf(id: string, error: CollectedError) {
  const context = await contextOf(id)
  const text = typeof error.body === 'string' ? error.body : null
  const body = text === null ? error.body : (DESCRIBED.find(([words]) => words.test(text))?.[1] ?? null)
  expect(body, `the body is described in words that DESCRIBED does not know: ${text}`).not.toBeNull()
  const status = error.status ?? 400
  const step = async (name: TokenStep) => judgedAs(await judge(context, { step: name, outcome: answered(status, body), sentAt: SENT, secrets: [] }))
  const api = judgeApiAnswer(context.record, { status: error.status ?? 401, headers: {}, json: body })
  return { refresh: await step('refresh'), exchange: await step('exchange'), api, ofApi: text !== null || /\bAPI\b/.test(error.meaning) }
}

if (collected.length === 0) {
  console.warn(`SKIPPED: the collection of provider facts is not beside the checkout (${file.pathname})`)
  test.skip('the collection of provider facts is not here: its entries were NOT compared with the catalogue', () => undefined)
} else {
  test.each(collected)('collected: $id has a record', ({ id }) => {
    expect(catalogue.map((record) => record.id)).toContain(RECORD_OF[id] ?? id)
  })

  test('collected: all 75 have a record each, with a consent, so that they make the round trip of testing/emulation', () => {
    const records = collected.map(({ id }) => catalogue.find((record) => record.id === (RECORD_OF[id] ?? id)))
    expect([collected.length, new Set(records).size]).toEqual([75, 75])
    expect(records.filter((record) => record?.grant !== 'authorization_code')).toEqual([])
  })

  test.each(errors)('collected: $line is $error.class', async ({ id, error }) => {
    const reading = CLASSES[error.class]
    expect(reading, `the class ${error.class} has no meaning here`).toBeDefined()
    const judged = await readingOf(id, error)
    expect(reading?.(judged), `${error.meaning}: judged ${JSON.stringify(judged)}`).toBe(true)
  })

  test.each(collected)('collected: $id is addressed and answers as collected, but for what has a reason', async (entry) => {
    expect(differences(entry, await contextOf(RECORD_OF[entry.id] ?? entry.id))).toEqual(Object.keys(OTHERWISE[entry.id] ?? {}))
  })

  test('no record that ships calls a reuse class lax which nobody has verified', () => {
    const guessed = catalogue.filter(({ reuse, unverified }) => isLax(reuse.class) && unverified.some((name) => name === 'reuse' || name.startsWith('reuse.')))
    expect(guessed.map(({ id }) => id)).toEqual([])
    expect(catalogue.filter(({ reuse, grant }) => grant === 'authorization_code' && isLax(reuse.class)).length).toBeGreaterThan(10)
  })

  test.each(collected)('collected: the reuse class of $id is not braver than what is known', ({ id, refresh_rotation: rotation, rotation_reuse: reuse }) => {
    const record = catalogue.find((one) => one.id === (RECORD_OF[id] ?? id))
    expect(allowed(rotation, reuse ?? 'unknown'), `${rotation}, ${reuse}`).toContain(record?.reuse.class)
  })
}

/** Where a record says it otherwise, and why. */
const OTHERWISE: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  bullhorn: { accessSeconds: 'the collected lifetime is that of the session, which the chain fetches' },
  instagram: { accessSeconds: 'the first token lives an hour; the one of the chain lives as long as collected' },
  keycloak: { accessSeconds: 'a setting of the realm, and every answer says it' },
  miro: { accessSeconds: 'an option of the app: without it tokens never end, and with it every answer says when' },
  'stripe-apps': { clientAuth: 'Basic with the secret as user name has a name of its own' },
  zendesk: { accessSeconds: 'the request chooses it, and every answer says it' },
}
const CLIENT_AUTH: Readonly<Record<string, string>> = { post: 'body', basic: 'basic' }
const SEPARATORS: Readonly<Record<string, string>> = { '': ' ', ',': ',', '+': '+' }

/** Names of what the record, with its own defaults, says otherwise than the collection. */
function differences(entry: Collected, { record, endpoints }: ProviderContext): string[] {
  const { authorize, token, lifetimes, rotation } = record
  const scopes = [...authorize.defaultScopes, ...authorize.requiredScopes]
  const said: Readonly<Record<string, readonly [unknown, unknown]>> = {
    'authorize.url': [fixed(entry.authorize_url) ?? endpoints.authorize, endpoints.authorize],
    'token.url': [fixed(entry.token_url) ?? endpoints.token, endpoints.token],
    clientAuth: [CLIENT_AUTH[entry.client_auth ?? ''] ?? token.clientAuth, token.clientAuth],
    bodyFormat: [entry.token_body_format, token.bodyFormat],
    scopeSeparator: [SEPARATORS[entry.scope_separator ?? 'none'] ?? authorize.scopeSeparator, authorize.scopeSeparator],
    defaultScopes: [(entry.default_scopes ?? []).filter((scope) => !scopes.includes(scope)).join(' '), ''],
    accessSeconds: [entry.access_token_ttl_s, lifetimes.accessSeconds],
    rotation: [entry.refresh_rotation ?? rotation, rotation],
  }
  return Object.entries(said).flatMap(([name, [collected, ours]]) => (collected === ours ? [] : [name]))
}

/** Addresses with parts to fill in are compared by eye. */
function fixed(url: string | null): string | null {
  return url === null || url.includes('{') || !url.startsWith('https://') ? null : url
}

/** The reuse classes that the collected facts allow: one that knows less is always among them. */
function allowed(rotation: string | null, reuse: string): string[] {
  if (/still valid/.test(reuse) || (reuse === 'unknown' && rotation === 'never')) return ['P0', 'PU']
  if (/grace|leeway|first use/.test(reuse)) return ['P1', 'P2', 'P4', 'PU']
  if (/revokes/.test(reuse)) return ['P4']
  return /fails/.test(reuse) ? ['P3', 'P4'] : ['PU', 'P4']
}
