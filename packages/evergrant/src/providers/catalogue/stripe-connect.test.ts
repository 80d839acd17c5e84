import { createHmac } from 'node:crypto'
import { recordFacts, SENT } from '../../testing/record-facts.ts'
import { stripeConnect } from './stripe-connect.ts'

const who = { account: 'acct_1', scopes: ['read_write'] }

const deauthorized = JSON.stringify({ id: 'evt_1', type: 'account.application.deauthorized', created: 1_795_240_700, account: 'acct_1' })
const at = Math.floor(SENT / 1_000)

recordFacts(stripeConnect, {
  exchange: { expect: { accessToken: 'sk_test_at-1', refreshToken: 'rt_rt-1', ...who } },
  refresh: { expect: { accessToken: 'sk_test_at-2', refreshToken: 'rt_rt-1', ...who } },
  errors: [
    ['exchange', 400, { error: 'invalid_grant', error_description: 'Authorization code does not exist: ac_1' }, 'restart_flow'],
    ['refresh', 400, { error: 'invalid_grant', error_description: 'Refresh token does not exist' }, 'dead'],
    ['refresh', 401, { error: 'invalid_client', error_description: 'No such API key' }, 'config'],
  ],
  api: [[401, {}, { error: { type: 'invalid_request_error', message: 'Invalid API Key provided' } }, 'token_rejected']],
  pushes: [
    {
      headers: { 'stripe-signature': `t=${at},v1=${createHmac('sha256', 'whsec_1').update(`${at}.${deauthorized}`).digest('hex')},v0=00` },
      body: deauthorized,
      secret: 'whsec_1',
      says: [{ means: 'revoked', account: 'acct_1' }],
    },
  ],
})
