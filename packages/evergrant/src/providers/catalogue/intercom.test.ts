import { recordFacts } from '../../testing/record-facts.ts'
import { intercom } from './intercom.ts'

recordFacts(intercom, {
  variables: { region: 'eu' },
  exchange: { expect: { accessToken: 'access-1' } },
  account: {
    answer: { type: 'admin', id: '814860', email: 'jo@example.com', app: { id_code: 'abc123' } },
    account: 'abc123:814860',
    label: 'jo@example.com',
  },
  errors: [
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['exchange', 401, { type: 'error.list', errors: [{ code: 'unauthorized' }] }, 'config'],
  ],
})
