import { recordFacts } from '../../testing/record-facts.ts'
import { wahoo } from './wahoo.ts'

const tooMany = { error: 'Too many unrevoked access tokens exist for this app and user. You can only create a new token if you revoke an old one first.' }
const granted = { accessSeconds: 7_200, scopes: ['user_read', 'offline_data'] }

recordFacts(wahoo, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  account: { answer: { id: 60_462, email: 'jo@example.com' }, account: '60462', label: 'jo@example.com', scopes: ['user_read'] },
  errors: [
    ['refresh', 400, tooMany, 'unknown'],
    ['exchange', 400, tooMany, 'unknown'],
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
