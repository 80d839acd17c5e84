import { recordFacts } from '../../testing/record-facts.ts'
import { clickup } from './clickup.ts'

recordFacts(clickup, {
  exchange: { expect: { accessToken: 'access-1' } },
  account: { answer: { user: { id: 123, username: 'Jo', email: 'jo@example.com' } }, account: '123', label: 'jo@example.com' },
  errors: [
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['exchange', 401, { err: 'Oauth client not found', ECODE: 'OAUTH_010' }, 'config'],
  ],
})
