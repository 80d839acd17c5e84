import { jwt, recordFacts } from '../../testing/record-facts.ts'
import { auth0 } from './auth0.ts'

const granted = { accessSeconds: 86_400, scopes: ['openid', 'offline_access'] }
const dead = { error: 'invalid_grant', error_description: 'Unknown or invalid refresh token.' }

recordFacts(auth0, {
  exchange: [
    { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
    {
      answer: { access_token: 'access-1', id_token: jwt({ sub: 'auth0|1', email: 'jo@example.com' }), token_type: 'Bearer' },
      expect: { accessToken: 'access-1', account: 'auth0|1', label: 'jo@example.com' },
    },
  ],
  refresh: { expect: { accessToken: 'access-2', ...granted } },
  account: { answer: { sub: 'auth0|1', email: 'jo@example.com' }, account: 'auth0|1', label: 'jo@example.com', scopes: ['openid'] },
  errors: [
    ['refresh', 403, dead, 'dead'],
    ['refresh', 401, dead, 'dead'],
    ['refresh', 400, dead, 'dead'],
    ['exchange', 403, { error: 'invalid_grant', error_description: 'Invalid authorization code' }, 'restart_flow'],
    ['refresh', 401, { error: 'access_denied', error_description: 'Unauthorized' }, 'config'],
  ],
})
