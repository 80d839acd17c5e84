import type { RecordClaims } from './record-facts.ts'

/** What holds for Amazon Ads in every region. */
export const AMAZON_ADS_CLAIMS: RecordClaims = {
  exchange: { expect: { accessToken: 'Atza|at-1', refreshToken: 'Atzr|rt-1', accessSeconds: 3_600 } },
  refresh: { expect: { accessToken: 'Atza|at-2', refreshToken: 'Atzr|rt-1', accessSeconds: 3_600 } },
  errors: [
    [
      'refresh',
      400,
      {
        error: 'invalid_grant',
        error_description: "The request has an invalid grant parameter : refresh_token. User may have revoked or didn't grant the permission.",
      },
      'dead',
    ],
    ['refresh', 400, { error: 'invalid_grant', error_description: 'The request has an invalid grant parameter : refresh_token' }, 'dead'],
    [
      'exchange',
      400,
      { error: 'invalid_grant', error_description: 'The request has an invalid grant parameter : code', error_index: 'x', request_id: 'y' },
      'restart_flow',
    ],
    ['refresh', 401, { error_description: 'Client authentication failed', error: 'invalid_client' }, 'config'],
    ['refresh', 400, { error: 'invalid_request', error_description: 'The request is missing a required parameter : refresh_token' }, 'config'],
    [
      'refresh',
      400,
      { error: 'unsupported_grant_type', error_description: 'The authorization grant type is not supported by the authorization server' },
      'config',
    ],
  ],
  api: [
    [401, {}, { code: '401', details: 'Authentication failed', requestId: 'x' }, 'token_rejected'],
    [429, { 'retry-after': '2' }, { code: 'TooManyRequests', message: 'slow down' }, 'throttled'],
    [425, {}, { code: '425', detail: 'The Request is a duplicate' }, 'not_about_the_token'],
  ],
}
