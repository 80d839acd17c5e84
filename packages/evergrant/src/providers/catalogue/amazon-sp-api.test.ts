import { recordFacts } from '../../testing/record-facts.ts'
import { amazonSpApi } from './amazon-sp-api.ts'

const denied = (details: string) => ({ errors: [{ code: 'Unauthorized', message: 'Access to requested resource is denied.', details }] })

recordFacts(amazonSpApi, {
  exchange: {
    callback: { spapi_oauth_code: 'code-1', selling_partner_id: 'A3EXAMPLE', state: 'state-1' },
    expect: { accessToken: 'Atza|at-1', refreshToken: 'Atzr|rt-1', accessSeconds: 3_600, account: 'A3EXAMPLE' },
  },
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
    ['exchange', 400, { error: 'invalid_grant', error_description: 'The request has an invalid grant parameter : code', error_index: 'x' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client', error_description: 'Client authentication failed' }, 'config'],
    ['refresh', 400, { error: 'invalid_request', error_description: 'The request is missing a required parameter : refresh_token' }, 'config'],
    ['refresh', 400, { error: 'unsupported_grant_type' }, 'config'],
  ],
  api: [
    [403, {}, denied('The LWA secret token you provided has expired.'), 'not_about_the_token'],
    [403, {}, denied('The access token you provided is revoked, malformed or invalid.'), 'token_rejected'],
    [403, {}, denied('Access to the requested resource is denied for your role.'), 'not_about_the_token'],
    [429, {}, { errors: [{ code: 'QuotaExceeded' }] }, 'throttled'],
  ],
})
