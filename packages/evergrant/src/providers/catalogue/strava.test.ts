import { recordFacts } from '../../testing/record-facts.ts'
import { strava } from './strava.ts'

const invalid = (resource: string, field: string, code = 'invalid') => ({ message: 'Bad Request', errors: [{ resource, field, code }] })

const deauthorized = {
  aspect_type: 'update',
  event_time: 1_795_240_700,
  object_id: 134_815,
  object_type: 'athlete',
  owner_id: 134_815,
  subscription_id: 120_475,
  updates: { authorized: 'false' },
}

recordFacts(strava, {
  exchange: { expect: { accessToken: 'at-1', refreshToken: 'rt-1', accessSeconds: 21_600, account: '134815', label: 'jo' } },
  refresh: [
    { expect: { accessToken: 'at-2', refreshToken: 'rt-2', accessSeconds: 21_600 } },
    // With more than an hour left the same access token comes back.
    {
      answer: { token_type: 'Bearer', access_token: 'at-1', expires_at: 1_795_244_401, expires_in: 3_601, refresh_token: 'rt-1' },
      expect: { accessToken: 'at-1', refreshToken: 'rt-1', accessSeconds: 3_601 },
    },
  ],
  account: { answer: { id: 134_815, username: 'jo' }, account: '134815', label: 'jo' },
  errors: [
    ['refresh', 400, invalid('RefreshToken', 'refresh_token'), 'dead'],
    ['refresh', 400, invalid('Application', 'client_id'), 'config'],
    ['exchange', 400, invalid('AuthorizationCode', 'code'), 'restart_flow'],
    ['refresh', 429, { message: 'Rate Limit Exceeded', errors: [{ resource: 'Application', field: 'rate limit', code: 'exceeded' }] }, 'throttled'],
    ['refresh', 500, { message: 'error' }, 'unknown'],
  ],
  api: [
    [401, {}, invalid('AccessToken', 'access_token'), 'token_rejected'],
    [401, {}, invalid('AccessToken', 'activity:read_permission', 'missing'), 'scope_missing'],
    [429, {}, { message: 'Rate Limit Exceeded' }, 'throttled'],
  ],
  pushes: [
    { headers: {}, body: JSON.stringify(deauthorized), secret: 'any', says: [{ means: 'revoked', account: '134815' }] },
    {
      headers: {},
      body: JSON.stringify(deauthorized),
      secret: 'any',
      variables: { push_subscription: '120475' },
      says: [{ means: 'revoked', account: '134815' }],
    },
    // Of another app's subscription, or about an activity.
    { headers: {}, body: JSON.stringify(deauthorized), secret: 'any', variables: { push_subscription: '7' }, says: [] },
    { headers: {}, body: JSON.stringify({ ...deauthorized, object_type: 'activity', updates: { title: 'Run' } }), secret: 'any', says: [] },
  ],
})
