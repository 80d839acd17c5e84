import { recordFacts } from '../../testing/record-facts.ts'
import { stripeApps } from './stripe-apps.ts'

const granted = { accessSeconds: 3_600, account: 'acct_1', scopes: ['stripe_apps'] }

recordFacts(stripeApps, {
  exchange: { expect: { accessToken: 'sk_test_at-1', refreshToken: 'rt_rt-1', ...granted } },
  refresh: { expect: { accessToken: 'sk_test_at-2', refreshToken: 'rt_rt-2', ...granted } },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
