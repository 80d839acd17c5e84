import { recordFacts } from '../../testing/record-facts.ts'
import { mailchimp } from './mailchimp.ts'

recordFacts(mailchimp, {
  facts: { dc: 'us6' },
  // expires_in 0 is no end, not the past.
  exchange: { expect: { accessToken: 'access-1' } },
  account: { answer: { dc: 'us6', login: { login_id: 7_654_321, email: 'jo@example.com' } }, account: '7654321', label: 'jo@example.com' },
  errors: [
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['exchange', 401, { error: 'invalid_client' }, 'config'],
  ],
})
