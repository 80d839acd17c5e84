import { recordFacts } from '../../testing/record-facts.ts'
import { airtable } from './airtable.ts'

const granted = { accessSeconds: 3_600, refreshSeconds: 5_184_000, scopes: ['data.records:read'] }

recordFacts(airtable, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  account: { answer: { id: 'usrL2PNC5o3H4lBEi', email: 'jo@example.com' }, account: 'usrL2PNC5o3H4lBEi', label: 'jo@example.com' },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['refresh', 401, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
