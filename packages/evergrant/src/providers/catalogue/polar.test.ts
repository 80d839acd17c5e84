import { recordFacts } from '../../testing/record-facts.ts'
import { polar } from './polar.ts'

recordFacts(polar, {
  facts: { polar_user: '10579' },
  exchange: { expect: { accessToken: 'access-1', accessSeconds: 31_535_999, account: '10579', facts: { polar_user: '10579' } } },
  errors: [
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['exchange', 401, { error: 'invalid_client' }, 'config'],
  ],
})
