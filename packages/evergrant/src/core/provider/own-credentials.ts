import { Fault } from '../fault/fault.ts'
import { isJsonObject } from '../json.ts'
import { parseJson } from './answer-body.ts'
import { decodeBase64Url, decodeUtf8, encodeBase64 } from './base64url.ts'
import type { MachineGrant, RenewedGrant, StaticGrant } from './grant-kind.ts'

/** What belongs to one connection without a browser and proves it: field -> value. Which fields there are follows from the grant. */
export type OwnCredentials = Readonly<Record<string, string>>

interface Field {
  readonly what: string
  readonly required: boolean
  /** Nothing else may stand in it. */
  readonly allowed: RegExp
  readonly words: string
}

/** A text that can stand in a header or a form: RFC 6749 appendix A.1 and A.2. */
const VISIBLE = { allowed: /^[\x20-\x7E]+$/, words: 'may hold printable ASCII only' }
const ANY_TEXT = { allowed: /^[^\p{Cc}]+$/u, words: 'must not hold control characters' }
const LONGEST = 16_384

const CLIENT = {
  client_id: { what: 'the client id of this connection', required: false, ...VISIBLE },
  // A client that signs (private_key_jwt) has a key for a secret.
  client_secret: {
    what: 'the client secret of this connection',
    required: false,
    allowed: /^(?:[\x20-\x7E]+|-----BEGIN [\x20-\x7E\r\n]+)$/,
    words: 'may hold printable ASCII only, or a PEM',
  },
}

/** RFC 6749 section 4.4, RFC 7523 section 2.1, RFC 7617. What is not given is the integration's. */
const FIELDS: Readonly<Record<MachineGrant, Readonly<Record<string, Field>>>> = {
  client_credentials: CLIENT,
  jwt_bearer: {
    subject: { what: 'for whom the token is', required: false, ...ANY_TEXT },
    issuer: { what: 'who signs; the client id of the integration by default', required: false, ...ANY_TEXT },
    private_key: { what: 'the private key that signs: PEM or JWK', required: false, allowed: /^[^\0]+$/, words: 'must be a PEM or JWK' },
    key_id: { what: "the key's id", required: false, ...VISIBLE },
  },
  installation: {},
  api_key: {
    api_key: {
      what: 'the API key',
      required: true,
      allowed: /^[\x21-\x7E](?:[\x20-\x7E]*[\x21-\x7E])?$/,
      words: 'may hold printable ASCII only, with no space at its ends',
    },
  },
  basic: {
    // RFC 7617 section 2: the first colon ends the user name.
    username: { what: 'the user name', required: true, allowed: /^[^:\p{Cc}]+$/u, words: 'must not hold a colon or control characters' },
    password: { what: 'the password; empty by default', required: false, ...ANY_TEXT },
  },
}

/** The credentials as they were given, checked field by field; an empty text counts as not given. @throws Fault `invalid_request` naming the field */
export function checkCredentials(grant: MachineGrant, given: OwnCredentials, providerName: string): OwnCredentials {
  const fields = FIELDS[grant]
  const known = Object.keys(fields)
  const checked: Record<string, string> = {}
  for (const [name, value] of Object.entries(given)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined
    if (field === undefined) {
      const there = known.length === 0 ? 'It takes none: what it needs stands in `variables`.' : `It takes: ${known.join(', ')}.`
      throw refused(name, `${providerName} knows no credential \`${name.slice(0, 60)}\`. ${there}`)
    }
    if (value === '') continue
    if (value.length > LONGEST || !field.allowed.test(value))
      throw refused(name, `\`${name}\` (${field.what}) ${value.length > LONGEST ? 'is too long' : field.words}.`)
    checked[name] = value
  }
  for (const [name, field] of Object.entries(fields)) {
    if (field.required && !Object.hasOwn(checked, name)) throw refused(name, `${providerName} needs \`${name}\`: ${field.what}.`)
  }
  if (checked['client_secret'] !== undefined && checked['client_id'] === undefined)
    throw refused('client_id', 'A client secret belongs to a client id: send `client_id` too, or neither.')
  return checked
}

/** The text that is sealed where other grants keep their refresh token. An integration whose own client asks leaves it empty. */
export function keptText(credentials: OwnCredentials): string {
  return JSON.stringify(Object.fromEntries(Object.entries(credentials).sort(([one], [other]) => (one < other ? -1 : 1))))
}

/** Reads what {@link keptText} wrote; anything else, such as a refresh token that was imported, holds no credentials. */
export function readKept(text: string): OwnCredentials {
  const json = parseJson(text)
  if (!isJsonObject(json)) return {}
  const credentials: Record<string, string> = {}
  for (const [name, value] of Object.entries(json)) if (typeof value === 'string') credentials[name] = value
  return credentials
}

/** A static secret as it goes behind the scheme of a header, and that scheme. */
export interface StaticSecret {
  readonly accessToken: string
  readonly tokenType: string
}

/** Basic: base64 of `user:password` in UTF-8 (RFC 7617 section 2). */
export function staticSecretOf(grant: StaticGrant, credentials: OwnCredentials): StaticSecret {
  if (grant === 'basic') return { accessToken: encodeBase64(`${credentials['username'] ?? ''}:${credentials['password'] ?? ''}`), tokenType: 'Basic' }
  return { accessToken: credentials['api_key'] ?? '', tokenType: 'ApiKey' }
}

/** True when a refusal concerns this connection alone, not the integration: what was presented is its own. */
export function hasOwnSecret(grant: RenewedGrant, credentials: OwnCredentials): boolean {
  return grant === 'client_credentials' ? credentials['client_id'] !== undefined : credentials['private_key'] !== undefined
}

/** Every value that providers may echo and nobody may read. */
export function secretsOf(credentials: OwnCredentials): string[] {
  return ['client_secret', 'private_key', 'api_key', 'password'].flatMap((name) => credentials[name] ?? [])
}

/** What an answer to a request with this token may echo: the token as it is sent and, where that is a Basic password, what it encodes (RFC 7617 section 2). */
export function echoedSecrets(accessToken: string, tokenType: string): readonly string[] {
  if (tokenType !== 'Basic') return [accessToken]
  const bytes = decodeBase64Url(
    accessToken
      .replaceAll('+', '-')
      .replaceAll('/', '_')
      .replace(/(?<!=)=+$/, ''),
  )
  const pair = bytes === null ? null : decodeUtf8(bytes)
  if (pair === null) return [accessToken]
  const colon = pair.indexOf(':')
  // Without a password, the user name is the secret.
  return [accessToken, colon === -1 || colon === pair.length - 1 ? pair.replace(/:$/, '') : pair.slice(colon + 1)]
}

function refused(name: string, detail: string): Fault {
  return new Fault('invalid_request', { field: `/credentials/${name.slice(0, 60)}`, detail })
}
