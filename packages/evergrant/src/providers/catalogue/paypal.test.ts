import { recordFacts } from '../../testing/record-facts.ts'
import { paypal } from './paypal.ts'

recordFacts(paypal, {
  exchange: { expect: { accessToken: 'A21AA-at-1', refreshToken: 'R23AA-rt-1', accessSeconds: 28_800, scopes: ['openid'] } },
  refresh: { expect: { accessToken: 'A21AA-at-2', accessSeconds: 28_800, scopes: ['openid'] } },
  account: {
    answer: { user_id: 'https://www.paypal.com/webapps/auth/identity/user/mWq6_1sU85v5EG9yHdPxJRrhGHrnMJ-1PQKtX6pcsmA', name: 'Jo' },
    account: 'mWq6_1sU85v5EG9yHdPxJRrhGHrnMJ-1PQKtX6pcsmA',
    label: 'Jo',
  },
  errors: [
    ['refresh', 400, { error: 'invalid_grant', error_description: 'Invalid refresh token' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant', error_description: 'Invalid authorization code' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client', error_description: 'Client Authentication failed' }, 'config'],
  ],
  api: [[401, {}, { error: 'invalid_token', error_description: 'Token signature verification failed' }, 'token_rejected']],
})
