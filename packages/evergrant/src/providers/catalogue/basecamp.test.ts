import { recordFacts } from '../../testing/record-facts.ts'
import { basecamp } from './basecamp.ts'

recordFacts(basecamp, {
  variables: { user_agent: 'Example app (support@example.com)' },
  facts: { account_id: '999999999' },
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 1_209_600 } },
  refresh: { expect: { accessToken: 'access-2', accessSeconds: 1_209_600 } },
  account: { answer: { identity: { id: 9_999_999, email_address: 'jo@example.com' } }, account: '9999999', label: 'jo@example.com' },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
