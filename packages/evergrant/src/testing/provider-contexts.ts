import { completeVariables } from '../core/provider/choices.ts'
import type { ProviderContext } from '../core/provider/context.ts'
import type { ProviderRecord } from '../core/provider/record.ts'
import type { SigningPorts } from '../core/provider/signing.ts'
import type { WireOutcome } from '../core/provider/wire.ts'
import { createProviderDirectory } from '../providers/directory.ts'
import { catalogue } from '../providers/index.ts'

const VARIABLES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  microsoft: { tenant: 'common' },
  okta: { domain: 'example.okta.com' },
  oidc: { issuer: 'https://id.example.com' },
  oauth2: { issuer: 'https://id.example.com' },
}

/** The discovery document of the made-up issuer behind the two generic records. */
export const METADATA = {
  issuer: 'https://id.example.com',
  authorization_endpoint: 'https://id.example.com/authorize',
  token_endpoint: 'https://id.example.com/token',
  revocation_endpoint: 'https://id.example.com/revoke',
  userinfo_endpoint: 'https://id.example.com/userinfo',
  code_challenge_methods_supported: ['S256'],
  authorization_response_iss_parameter_supported: true,
}

/** A shipped record by its id. */
export function shipped(id: string): ProviderRecord {
  const record = catalogue.find((one) => one.id === id)
  if (record === undefined) throw new Error(`no record ${id}`)
  return record
}

/** The values that the record itself gives as defaults and examples. */
function examplesOf(record: ProviderRecord): Record<string, string> {
  return Object.fromEntries(Object.entries(record.variables).map(([name, variable]) => [name, variable.default ?? variable.example]))
}

/** Signs alike every time: what is signed can be read, and nobody verifies it. */
const SIGNING: SigningPorts = {
  signer: {
    sign: (algorithm, key) => `${algorithm}-by-${key}`,
    hash: (algorithm, _secret, text) => `${algorithm}-of-${text}`,
    hmacChain: (_secret, texts) => `chain-of-${texts.join('/')}`,
  },
  now: () => Date.parse('2026-11-21T06:00:00Z'),
  unique: () => 'jti-1',
}

/** What requests of an integration at a record are built from, with made-up client credentials. */
export async function contextOf(record: ProviderRecord | string, changes: Partial<ProviderContext> = {}): Promise<ProviderContext> {
  const full = typeof record === 'string' ? shipped(record) : record
  const directory = createProviderDirectory({ records: [full], fetchJson: async () => METADATA, clock: { wall: () => 0, mono: () => 0 } })
  const variables = completeVariables(full, changes.variables ?? VARIABLES[full.id] ?? examplesOf(full))
  const endpoints = await directory.resolve(full, variables)
  const made = { record: full, endpoints, clientId: 'client-1', clientSecret: 'secret-of-client-1', facts: {}, token: null, signing: SIGNING }
  return { ...made, ...changes, variables }
}

/** An answer that arrived whole; an object is sent as JSON. */
export function answered(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): WireOutcome {
  const text = typeof body === 'string' ? body : JSON.stringify(body)
  return { kind: 'answered', answer: { status, headers, body: new TextEncoder().encode(text), text } }
}
