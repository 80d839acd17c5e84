import { recordFacts } from '../../testing/record-facts.ts'
import { monday } from './monday.ts'

recordFacts(monday, {
  exchange: { expect: { accessToken: 'access-1', scopes: ['me:read'] } },
  account: { answer: { data: { me: { id: '4012689', account: { id: '1234567' } } } }, account: '4012689', scopes: ['me:read'] },
  errors: [
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['exchange', 401, { error: 'invalid_client' }, 'config'],
  ],
})
