import { createHash } from 'node:crypto'
import { type Answer, json } from './answer.ts'
import type { Grant, Issued } from './grant-book.ts'
import type { PracticeShape } from './profile.ts'

export type TokenError = 'invalid_request' | 'invalid_client' | 'invalid_grant' | 'unsupported_grant_type'
/** Which field of the request an error is about. */
export type TokenField = 'code' | 'refresh_token' | 'client' | 'grant_type' | 'token' | 'code_verifier' | 'redirect_uri'

/** A stable number for an account name: Strava-shaped athletes have one. */
export function accountNumber(account: string): number {
  return createHash('sha256').update(account).digest().readUInt32BE(0)
}

/** The success body of the token endpoint. `extra`: what only the standard shape adds (an ID token). */
export function tokenAnswer(
  shape: PracticeShape,
  step: 'exchange' | 'refresh',
  grant: Grant,
  issued: Issued,
  now: number,
  extra: Readonly<Record<string, unknown>>,
): Answer {
  const expiresIn = Math.max(0, Math.round((issued.access.expiresAt - now) / 1000))
  const tokens = { access_token: issued.access.token, ...(issued.refreshToken === null ? {} : { refresh_token: issued.refreshToken }) }
  if (shape === 'strava') {
    const id = accountNumber(grant.account)
    const athlete = step === 'exchange' ? { athlete: { id, username: grant.account, firstname: grant.account, resource_state: 2 } } : {}
    return json(200, { token_type: 'Bearer', expires_at: Math.floor(issued.access.expiresAt / 1000), expires_in: expiresIn, ...tokens, ...athlete })
  }
  if (shape === 'amazon') return json(200, { ...tokens, token_type: 'bearer', expires_in: expiresIn })
  return json(200, { token_type: 'Bearer', expires_in: expiresIn, scope: grant.scopes.join(' '), ...tokens, ...extra })
}

/** The error body of the token endpoint (RFC 6749 section 5.2, or the shape's own). */
export function tokenError(shape: PracticeShape, error: TokenError, field: TokenField, description: string): Answer {
  if (shape === 'strava') return stravaError(error, field)
  if (shape === 'amazon') return amazonError(error, field)
  const headers: Record<string, string> = error === 'invalid_client' ? { 'www-authenticate': 'Basic realm="practice"' } : {}
  return json(error === 'invalid_client' ? 401 : 400, { error, error_description: description }, headers)
}

function stravaError(error: TokenError, field: TokenField): Answer {
  const [resource, name] =
    error === 'invalid_client'
      ? ['Application', 'client_id']
      : field === 'refresh_token'
        ? ['RefreshToken', 'refresh_token']
        : field === 'code'
          ? ['AuthorizationCode', 'code']
          : ['Application', field]
  return json(400, { message: 'Bad Request', errors: [{ resource, field: name, code: 'invalid' }] })
}

function amazonError(error: TokenError, field: TokenField): Answer {
  switch (error) {
    case 'invalid_client':
      return json(401, { error, error_description: 'Client authentication failed' })
    case 'unsupported_grant_type':
      return json(400, { error, error_description: 'The authorization grant type is not supported by the authorization server' })
    case 'invalid_request':
      return json(400, { error, error_description: `The request is missing a required parameter : ${field}` })
    default: {
      const cause = field === 'refresh_token' ? " User may have revoked or didn't grant the permission." : ''
      return json(400, { error, error_description: `The request has an invalid grant parameter : ${field}.${cause}`, error_index: '0', request_id: 'practice' })
    }
  }
}

/** What the API says to an access token that is unknown, expired or revoked. */
export function apiUnauthorized(shape: PracticeShape): Answer {
  const challenge = {
    'www-authenticate': 'Bearer realm="practice", error="invalid_token", error_description="The access token is expired, revoked or unknown"',
  }
  if (shape === 'strava') {
    return json(401, { message: 'Authorization Error', errors: [{ resource: 'AccessToken', field: 'access_token', code: 'invalid' }] }, challenge)
  }
  if (shape === 'amazon') return json(401, { code: '401', details: 'Not authorized to access this resource', message: 'HTTP 401 Unauthorized' }, challenge)
  return json(401, { error: 'invalid_token', error_description: 'The access token is expired, revoked or unknown' }, challenge)
}

/** What the API says to a live token without the scope. */
export function apiForbidden(shape: PracticeShape, scope: string): Answer {
  if (shape === 'strava') return json(401, { message: 'Authorization Error', errors: [{ resource: 'AccessToken', field: scope, code: 'missing' }] })
  return json(403, { error: 'insufficient_scope', scope }, { 'www-authenticate': `Bearer realm="practice", error="insufficient_scope", scope="${scope}"` })
}
