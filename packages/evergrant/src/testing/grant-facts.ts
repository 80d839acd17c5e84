import { expect, test } from 'vitest'
import type { JsonValue } from '../core/json.ts'
import { apiBase, apiHeaders, apiHosts } from '../core/provider/api.ts'
import { isRenewedGrant, isStaticGrant } from '../core/provider/grant-kind.ts'
import { grantRequest, contextOf as ownContext } from '../core/provider/grant-request.ts'
import { machineVerdict } from '../core/provider/grant-verdict.ts'
import { judge } from '../core/provider/judge.ts'
import { type OwnCredentials, staticSecretOf } from '../core/provider/own-credentials.ts'
import type { ProviderRecord } from '../core/provider/record.ts'
import { secretCheckRequest } from '../core/provider/secret-check.ts'
import { revokeRequest } from '../core/provider/token-request.ts'
import type { ProviderRequest } from '../core/provider/wire.ts'
import { checkDraft } from '../providers/check-draft.ts'
import { checkMeaning } from '../providers/check-meaning.ts'
import { answered, contextOf } from './provider-contexts.ts'
import { type ReadAs, SENT } from './record-facts.ts'

interface GrantClaims {
  readonly credentials: OwnCredentials
  readonly scopes?: readonly string[]
  /** What the record's sample grants; left out where nobody is asked. */
  readonly expect?: Pick<ReadAs, 'accessToken' | 'tokenType' | 'accessSeconds' | 'scopes' | 'facts'>
  /** Status, body, and what the connection or its integration becomes: with credentials of its own, and with the integration's. */
  readonly errors?: readonly (readonly [number, JsonValue, own: string, shared: string])[]
}

/** A signature that shows what was signed, so that a snapshot can be read. */
const SIGNING = {
  signer: { sign: (algorithm: string, key: string) => `signed-${algorithm}-by-${key}`, hash: () => 'hash', hmacChain: () => 'chain' },
  now: () => SENT,
  unique: () => 'id-1',
}

/** Declares the tests of a catalogue record whose connections need no browser. Call it once, in the file beside the record. */
export function grantFacts(record: ProviderRecord, claims: GrantClaims): void {
  const { grant } = record
  const { credentials, scopes = [] } = claims
  const context = (clientSecret: string | null = 'integration-secret') => contextOf(record, { clientSecret, signing: SIGNING })

  test(`${record.id}: the record is well-formed`, () => {
    expect(checkDraft(JSON.parse(JSON.stringify(record))).problems).toBeNull()
    expect(checkMeaning(record)).toEqual([])
    expect(record.sources).not.toEqual([])
    expect(record.setup).not.toEqual([])
  })

  test(`${record.id}: requests`, async () => {
    const asked = await context()
    const { accessToken, tokenType } = isStaticGrant(grant) ? staticSecretOf(grant, credentials) : { accessToken: 'access-1', tokenType: 'Bearer' }
    const headers = record.api === null ? [] : Object.entries(apiHeaders(asked, accessToken, tokenType)).map(([name, value]) => `  ${name}: ${value}`)
    const lines = [
      ...(isRenewedGrant(grant)
        ? [
            `token, of the integration: ${shown(grantRequest(asked, { grant, credentials: plain(credentials), scopes }))}`,
            `token, of the connection: ${shown(grantRequest(asked, { grant, credentials, scopes }))}`,
          ]
        : []),
      `revoke: ${shown(revokeRequest(asked, { accessToken, refreshToken: null }))}`,
      `check: ${shown(secretCheckRequest(asked, accessToken, tokenType))}`,
      ...(record.api === null ? [] : [`api: ${apiBase(asked)}`, ...headers, `  hosts: ${apiHosts(asked).join(', ')}`]),
    ]
    expect(`\n${lines.join('\n')}\n`).toMatchSnapshot()
  })

  if (!isRenewedGrant(grant)) return

  test(`${record.id}: the answer is read, and a refresh token in it is left`, async () => {
    const sample = record.samples.refresh
    expect(sample, 'samples.refresh is missing').not.toBeNull()
    const outcome = answered(200, { ...sample, refresh_token: 'left' })
    const verdict = machineVerdict(judge(await context(), { step: 'refresh', outcome, sentAt: SENT, secrets: [] }), grant, credentials)
    if (verdict.kind !== 'granted') throw new Error(JSON.stringify(verdict))
    const { accessToken, tokenType, accessExpiresAt, refreshToken, facts } = verdict.grant
    const told = { tokenType: 'Bearer', accessSeconds: null, scopes: null, facts: {}, ...claims.expect }
    const accessSeconds = accessExpiresAt === null ? null : (accessExpiresAt - SENT) / 1_000
    expect({ accessToken, tokenType, accessSeconds, scopes: verdict.grant.scopes, facts }).toEqual(told)
    expect(refreshToken).toBeNull()
  })

  const { errors = [] } = claims
  if (errors.length === 0) return
  test.each(errors)(`${record.id}: %d with %j is %s for a connection with its own secret, %s with the integration's`, async (status, body, own, shared) => {
    const asked = await context()
    const meaning = (some: OwnCredentials) => {
      const verdict = judge(ownContext(asked, { grant, credentials: some }), { step: 'refresh', outcome: answered(status, body), sentAt: SENT, secrets: [] })
      const { kind, ...rest } = machineVerdict(verdict, grant, some)
      return 'code' in rest ? rest.code : kind
    }
    expect([meaning(credentials), meaning(plain(credentials))]).toEqual([own, shared])
  })
}

/** The same without what a connection proves by itself. */
function plain(credentials: OwnCredentials): OwnCredentials {
  return Object.fromEntries(Object.entries(credentials).filter(([name]) => name === 'subject'))
}

function shown(request: ProviderRequest | null): string {
  if (request === null) return 'none'
  const headers = Object.entries(request.headers).map(([name, value]) => `\n  ${name}: ${readable(value)}`)
  const basic = request.basic === null ? '' : `\n  basic${request.basic.raw ? ' (raw)' : ''}: ${request.basic.username}:${request.basic.password}`
  return `${request.method} ${request.url}${basic}${headers.join('')}${request.body === null ? '' : `\n  ${readable(request.body)}`}`
}

/** JWTs as their header and claims. */
function readable(text: string): string {
  return text.replace(/(eyJ[A-Za-z0-9_-]+)\.(eyJ[A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)/g, (_, header: string, claims: string, signature: string) =>
    [Buffer.from(header, 'base64url').toString(), Buffer.from(claims, 'base64url').toString(), signature].join(' . '),
  )
}
