import { recordFacts } from '../../testing/record-facts.ts'
import { figma } from './figma.ts'

recordFacts(figma, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 7_776_000, account: '1234567' } },
  refresh: { expect: { accessToken: 'access-2', accessSeconds: 7_776_000 } },
  account: { answer: { id: '1234567', email: 'jo@example.com', handle: 'jo' }, account: '1234567', label: 'jo@example.com', scopes: ['current_user:read'] },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
