import { recordFacts } from '../../testing/record-facts.ts'
import { xTwitter } from './x-twitter.ts'

const granted = { accessSeconds: 7_200, scopes: ['tweet.read', 'users.read', 'offline.access'] }

recordFacts(xTwitter, {
  exchange: { expect: { accessToken: 'at-1', refreshToken: 'rt-1', ...granted } },
  refresh: { expect: { accessToken: 'at-2', refreshToken: 'rt-2', ...granted } },
  account: { answer: { data: { id: '2244994945', name: 'Jo', username: 'jo' } }, account: '2244994945', label: 'jo', scopes: ['users.read'] },
  errors: [
    ['refresh', 400, { error: 'invalid_request', error_description: 'Value passed for the token was invalid.' }, 'dead'],
    ['refresh', 400, { error: 'invalid_request', error_description: 'Missing required parameter [refresh_token].' }, 'config'],
    ['exchange', 400, { error: 'invalid_request', error_description: 'Value passed for the authorization code was invalid.' }, 'restart_flow'],
    ['refresh', 401, { error: 'unauthorized_client', error_description: 'Missing valid authorization header' }, 'config'],
  ],
  api: [
    [401, {}, { title: 'Unauthorized', type: 'about:blank', status: 401 }, 'token_rejected'],
    [429, { 'x-rate-limit-remaining': '0' }, { title: 'Too Many Requests', status: 429 }, 'throttled'],
  ],
})
