import { Fault } from '../fault/fault.ts'
import type { ProviderContext } from './context.ts'
import { fillPlain, signJwt } from './jwt.ts'
import type { ClientAuth, SigningFacts } from './record.ts'
import { headerText, sendableSecret, tokenValuesOf } from './values.ts'
import type { ProviderRequest } from './wire.ts'

/** RFC 7523 section 2.2. */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
/** RFC 7523 section 3: the client speaks for itself, to the token endpoint. A record's claims go over these. */
const ASSERTION_CLAIMS = { iss: '{client_id}', sub: '{client_id}', aud: '{token_url}' }

/** How the client names and proves itself at the token endpoint. A client without a secret can only name itself. */
export function tokenAuthOf(context: ProviderContext, own: ClientAuth | null): ClientAuth {
  if (context.clientSecret === null) return 'none'
  return own ?? context.endpoints.clientAuth ?? context.record.token.clientAuth
}

/** Adds what stands among the parameters (RFC 6749 section 2.3.1, RFC 7523 section 2.2, RFC 8705 section 2). @throws Fault `invalid_request` when the key cannot sign */
export function addClient(parameters: Record<string, string>, context: ProviderContext, auth: ClientAuth): void {
  switch (auth) {
    case 'body':
      addSecret(parameters, context)
      return
    case 'none':
    case 'tls':
      parameters.client_id = context.clientId
      return
    case 'signed_secret':
      parameters.client_id = context.clientId
      parameters.client_secret = signedBy(context, {})
      return
    case 'private_key_jwt':
      parameters.client_assertion_type = ASSERTION_TYPE
      parameters.client_assertion = signedBy(context, ASSERTION_CLAIMS)
      return
    case 'basic':
    case 'basic_raw':
    case 'secret_as_username':
    case 'header':
      return
  }
}

function addSecret(parameters: Record<string, string>, context: ProviderContext): void {
  const secret = sendableSecret(context)
  parameters.client_id = context.clientId
  if (secret !== null) parameters.client_secret = secret
}

/** HTTP Basic credentials; null when the client proves itself elsewhere. */
export function basicOf(context: ProviderContext, auth: ClientAuth): ProviderRequest['basic'] {
  const secret = sendableSecret(context) ?? ''
  switch (auth) {
    case 'basic':
      return { username: context.clientId, password: secret }
    case 'basic_raw':
      return { username: context.clientId, password: secret, raw: true }
    case 'secret_as_username':
      return { username: secret, password: '', raw: true }
    default:
      return null
  }
}

/** The whole Authorization value of a record. @throws Fault `client_rejected` when it names something that nobody has told */
export function authorizationOf(context: ProviderContext, template: string | null): string {
  const value = template === null ? null : fillPlain(template, tokenValuesOf(context))
  if (value === null)
    throw new Fault('client_rejected', {
      detail: `${context.record.name} wants an Authorization header that cannot be written: a value of its record is missing.`,
    })
  return headerText(value)
}

/** PEM of the certificate, and of its key, that the client shows wherever it calls its provider (RFC 8705 section 3); undefined where the record has none. */
export function certificateOf({ clientSecret, record }: ProviderContext): string | undefined {
  return record.token.clientAuth === 'tls' && clientSecret !== null ? clientSecret : undefined
}

export function certified(context: ProviderContext, request: ProviderRequest): ProviderRequest {
  const certificate = certificateOf(context)
  return certificate === undefined ? request : { ...request, certificate }
}

function signedBy(context: ProviderContext, claims: SigningFacts['claims']): string {
  const { signing } = context.record.token
  if (signing === null)
    throw new Fault('client_rejected', { detail: `The record of ${context.record.name} does not say how its client signs (token.signing).` })
  const facts = { ...signing, claims: { ...claims, ...signing.claims } }
  return signJwt({ facts, key: context.clientSecret ?? '', values: tokenValuesOf(context) }, context.signing)
}
