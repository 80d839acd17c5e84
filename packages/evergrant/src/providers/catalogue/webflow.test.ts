import { recordFacts } from '../../testing/record-facts.ts'
import { webflow } from './webflow.ts'

recordFacts(webflow, {
  exchange: { expect: { accessToken: 'access-1', scopes: ['authorized_user:read'] } },
  account: {
    answer: { id: '545bbecb7bdd6769632504a7', email: 'jo@example.com' },
    account: '545bbecb7bdd6769632504a7',
    label: 'jo@example.com',
    scopes: ['authorized_user:read'],
  },
  errors: [
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['exchange', 401, { error: 'invalid_client' }, 'config'],
  ],
})
