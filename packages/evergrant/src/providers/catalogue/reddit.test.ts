import { recordFacts } from '../../testing/record-facts.ts'
import { reddit } from './reddit.ts'

recordFacts(reddit, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 86_400, scopes: ['identity'] } },
  refresh: { expect: { accessToken: 'access-2', accessSeconds: 86_400, scopes: ['identity'] } },
  account: { answer: { id: '1a2b3c', name: 'jo', over_18: false }, account: '1a2b3c', label: 'jo', scopes: ['identity'] },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { message: 'Unauthorized', error: 401 }, 'config'],
    ['refresh', 503, '<html>Ow!</html>', 'unknown'],
  ],
  api: [
    [401, {}, { message: 'Unauthorized', error: 401 }, 'token_rejected'],
    [429, {}, {}, 'throttled'],
  ],
})
