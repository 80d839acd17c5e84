import { recordFacts } from '../../testing/record-facts.ts'
import { spotify } from './spotify.ts'

recordFacts(spotify, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 3_600, scopes: ['user-read-email'] } },
  refresh: { expect: { accessToken: 'access-2', accessSeconds: 3_600, scopes: ['user-read-email'] } },
  account: { answer: { id: 'smedjan', display_name: 'Jo' }, account: 'smedjan', label: 'Jo' },
  errors: [
    ['refresh', 400, { error: 'invalid_grant', error_description: 'Refresh token revoked' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant', error_description: 'Invalid authorization code' }, 'restart_flow'],
    ['refresh', 400, { error: 'invalid_client' }, 'config'],
    ['refresh', 503, { error: 'server_error' }, 'unknown'],
  ],
  api: [[429, { 'retry-after': '7' }, {}, 'throttled']],
})
