import { type Answer, json } from './answer.ts'
import { type TokenError, type TokenField, tokenAnswer, tokenError } from './answer-shape.ts'
import { type AuthorizationCode, provesChallenge } from './authorization-codes.ts'
import type { PracticeClient } from './client-registry.ts'
import type { Grant, Issued } from './grant-book.ts'
import type { Realm } from './realm.ts'

/** One request to the token endpoint, understood but not yet acted on. */
interface TokenRequest {
  readonly step: 'token.refresh' | 'token.exchange'
  readonly refreshToken: string | null
  /** Does the work once: calling it again returns the same answer. */
  readonly commit: () => Answer
  readonly grant: () => Grant | undefined
}

const FORM = 'application/x-www-form-urlencoded'

/** Reads a token request (RFC 6749 sections 4.1.3 and 6). Nothing changes until `commit`. */
export function readTokenRequest(realm: Realm, authorization: string | undefined, contentType: string, body: string, overlapping: () => boolean): TokenRequest {
  const form = new URLSearchParams(contentType.startsWith(FORM) ? body : '')
  const grantType = form.get('grant_type')
  const refreshToken = form.get('refresh_token')
  const refreshing = grantType === 'refresh_token'
  const work = () => {
    const refusal = refuseEarly(realm, contentType, form)
    if (refusal) return refusal
    const client = realm.clients.authenticate(authorization, form)
    if (!client) return fail(realm, 'invalid_client', 'client', 'client authentication failed')
    if (refreshing) return refresh(realm, client, form, overlapping())
    if (grantType === 'authorization_code') return exchange(realm, client, form)
    return fail(realm, 'unsupported_grant_type', 'grant_type', 'use authorization_code or refresh_token')
  }
  let answer: Answer | undefined
  return {
    step: refreshing ? 'token.refresh' : 'token.exchange',
    refreshToken: refreshing ? refreshToken : null,
    commit: () => {
      answer ??= work()
      return answer
    },
    grant: () => (refreshToken === null ? undefined : realm.book.grantOf(realm.name, refreshToken)),
  }
}

function fail(realm: Realm, error: TokenError, field: TokenField, description: string): Answer {
  return tokenError(realm.settings().shape, error, field, description)
}

function refuseEarly(realm: Realm, contentType: string, form: URLSearchParams): Answer | undefined {
  if (!contentType.startsWith(FORM)) return fail(realm, 'invalid_request', 'grant_type', `the body must be ${FORM}`)
  if (!form.has('grant_type')) return fail(realm, 'invalid_request', 'grant_type', 'grant_type is missing')
  for (const name of new Set(form.keys())) {
    if (form.getAll(name).length > 1) return json(400, { error: 'invalid_request', error_description: `${name} is repeated` })
  }
  return undefined
}

function refresh(realm: Realm, client: PracticeClient, form: URLSearchParams, overlapping: boolean): Answer {
  const token = form.get('refresh_token')
  if (!token) return fail(realm, 'invalid_request', 'refresh_token', 'refresh_token is missing')
  const outcome = realm.book.refresh(realm.name, client.clientId, token, overlapping)
  if (!outcome.granted) return fail(realm, 'invalid_grant', 'refresh_token', 'the refresh token is invalid, expired or revoked')
  return success(realm, 'refresh', outcome.grant, outcome.issued, null)
}

function exchange(realm: Realm, client: PracticeClient, form: URLSearchParams): Answer {
  const presented = form.get('code')
  if (!presented) return fail(realm, 'invalid_request', 'code', 'code is missing')
  const code = realm.codes.find(presented)
  const problem = codeProblem(realm, client, form, code)
  if (problem || !code) return fail(realm, 'invalid_grant', problem?.field ?? 'code', problem?.description ?? 'the code is unknown')
  const grant = realm.book.create({ profile: realm.name, client: client.clientId, account: code.account, scopes: code.scopes })
  code.grant = grant
  return success(realm, 'exchange', grant, grant.latest, code.request.nonce)
}

function codeProblem(
  realm: Realm,
  client: PracticeClient,
  form: URLSearchParams,
  code: AuthorizationCode | undefined,
): { readonly field: TokenField; readonly description: string } | undefined {
  if (!code || code.request.profile !== realm.name || code.request.client !== client.clientId) return { field: 'code', description: 'the code is unknown' }
  if (code.grant) {
    realm.book.revoke(code.grant, 'code_reuse')
    return { field: 'code', description: 'the code was used before; what it granted is revoked' }
  }
  if (code.expiresAt <= realm.now()) return { field: 'code', description: 'the code has expired' }
  const { challenge, redirectUri } = code.request
  const loose = realm.settings().shape === 'strava' && !form.has('redirect_uri')
  if (!loose && form.get('redirect_uri') !== redirectUri)
    return { field: 'redirect_uri', description: 'redirect_uri is not the one of the authorization request' }
  const verifier = form.get('code_verifier')
  if (challenge === null) return verifier === null ? undefined : { field: 'code_verifier', description: 'there was no code_challenge' }
  if (verifier === null || !provesChallenge(challenge, verifier)) return { field: 'code_verifier', description: 'code_verifier does not match code_challenge' }
  return undefined
}

function success(realm: Realm, step: 'exchange' | 'refresh', grant: Grant, issued: Issued, nonce: string | null): Answer {
  const { shape } = realm.settings()
  const now = realm.now()
  const extra = shape === 'standard' && step === 'exchange' && grant.scopes.includes('openid') ? { id_token: idToken(realm, grant, nonce, now) } : {}
  return tokenAnswer(shape, step, grant, issued, now, extra)
}

function idToken(realm: Realm, grant: Grant, nonce: string | null, now: number): string {
  const at = Math.floor(now / 1000)
  const claims = {
    iss: realm.issuer(),
    sub: grant.account,
    aud: grant.client,
    iat: at,
    exp: at + 3600,
    name: grant.account,
    email: `${grant.account}@practice.example`,
  }
  return realm.signer.sign(nonce === null ? claims : { ...claims, nonce })
}

/** RFC 7009. Any token of the grant ends the whole grant. An unknown token is answered like a known one. */
export function revokeToken(realm: Realm, authorization: string | undefined, body: string): Answer {
  const form = new URLSearchParams(body)
  const client = realm.clients.authenticate(authorization, form)
  if (!client) return fail(realm, 'invalid_client', 'client', 'client authentication failed')
  const token = form.get('token')
  if (!token) return fail(realm, 'invalid_request', 'token', 'token is missing')
  const grant = realm.book.grantOf(realm.name, token)
  if (grant && grant.client === client.clientId) realm.book.revoke(grant, 'client')
  return json(200, {})
}

/** RFC 7662. */
export function introspectToken(realm: Realm, authorization: string | undefined, body: string): Answer {
  const form = new URLSearchParams(body)
  const client = realm.clients.authenticate(authorization, form)
  if (!client) return fail(realm, 'invalid_client', 'client', 'client authentication failed')
  const token = form.get('token')
  if (!token) return fail(realm, 'invalid_request', 'token', 'token is missing')
  const access = realm.book.peekAccess(realm.name, token)
  const grant = access?.grant ?? realm.book.peekRefresh(realm.name, token)
  if (!grant || grant.client !== client.clientId) return json(200, { active: false })
  const facts = { active: true, client_id: grant.client, sub: grant.account, scope: grant.scopes.join(' '), iss: realm.issuer() }
  if (!access) return json(200, facts)
  return json(200, { ...facts, token_type: 'Bearer', iat: Math.floor(access.issuedAt / 1000), exp: Math.floor(access.expiresAt / 1000) })
}
