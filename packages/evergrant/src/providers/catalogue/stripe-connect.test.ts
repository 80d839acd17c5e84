import { recordFacts } from '../../testing/record-facts.ts'
import { stripeConnect } from './stripe-connect.ts'

const who = { account: 'acct_1', scopes: ['read_write'] }

recordFacts(stripeConnect, {
  exchange: { expect: { accessToken: 'sk_test_at-1', refreshToken: 'rt_rt-1', ...who } },
  refresh: { expect: { accessToken: 'sk_test_at-2', refreshToken: 'rt_rt-1', ...who } },
  errors: [
    ['exchange', 400, { error: 'invalid_grant', error_description: 'Authorization code does not exist: ac_1' }, 'restart_flow'],
    ['refresh', 400, { error: 'invalid_grant', error_description: 'Refresh token does not exist' }, 'dead'],
    ['refresh', 401, { error: 'invalid_client', error_description: 'No such API key' }, 'config'],
  ],
  api: [[401, {}, { error: { type: 'invalid_request_error', message: 'Invalid API Key provided' } }, 'token_rejected']],
})
