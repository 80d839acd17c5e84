import { recordFacts } from '../../testing/record-facts.ts'
import { whoop } from './whoop.ts'

const granted = { accessSeconds: 3_600, scopes: ['offline', 'read:profile'] }

recordFacts(whoop, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  account: { answer: { user_id: 10_129, email: 'jo@example.com' }, account: '10129', label: 'jo@example.com', scopes: ['read:profile'] },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
    ['refresh', 429, {}, 'throttled'],
  ],
})
