import { Fault } from '../fault/fault.ts'
import { SECOND } from '../time.ts'
import { encodeBase64Url } from './base64url.ts'
import type { SigningFacts } from './record.ts'
import type { SigningPorts } from './signing.ts'

/** Other clocks run behind ours: a JWT that is issued in the future is refused everywhere. */
const BACKDATED_SECONDS = 60

interface JwtToSign {
  readonly facts: SigningFacts
  /** PEM or JWK. */
  readonly key: string
  /** What fills header and claims: variables, facts, `client_id`, `token_url` and whatever belongs to the grant. */
  readonly values: Readonly<Record<string, string>>
}

/**
 * A compact JWS with `iat`, `exp` and a new `jti` (RFC 7519 section 4.1). Header and claims that name a value which is not there
 * are left out, so that a record can offer one that not everybody needs (`sub`, `kid`). `exp` counts from `iat`.
 * @throws Fault `invalid_request` when nothing here signs, or the key does not fit
 */
export function signJwt({ facts, key, values }: JwtToSign, ports: SigningPorts | undefined): string {
  if (ports === undefined) throw new Fault('invalid_request', { detail: 'The provider wants a signed request, and nothing here signs.' })
  const iat = Math.floor(ports.now() / SECOND) - BACKDATED_SECONDS
  const header = { typ: 'JWT', ...filled(facts.header, values), alg: facts.algorithm }
  const claims = { jti: ports.unique(), ...filled(facts.claims, values), iat, exp: iat + facts.lifetimeSeconds }
  const input = `${encodeBase64Url(JSON.stringify(header))}.${encodeBase64Url(JSON.stringify(claims))}`
  return `${input}.${ports.signer.sign(facts.algorithm, key, input)}`
}

function filled(templates: Readonly<Record<string, string>>, values: Readonly<Record<string, string>>): Record<string, string> {
  const known: Record<string, string> = {}
  for (const [name, template] of Object.entries(templates)) {
    const text = fillPlain(template, values)
    if (text !== null) known[name] = text
  }
  return known
}

/** Fills placeholders where nothing is encoded: claims, headers, parameters. Null when a value is missing. */
export function fillPlain(template: string, values: Readonly<Record<string, string>>): string | null {
  let complete = true
  const text = template.replace(/\{([A-Za-z0-9_-]+)\}/g, (_, name: string) => {
    const value = Object.hasOwn(values, name) ? values[name] : undefined
    if (value === undefined || value === '') complete = false
    return value ?? ''
  })
  return complete ? text : null
}
