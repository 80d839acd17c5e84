import { recordFacts } from '../../testing/record-facts.ts'
import { intuit } from './intuit.ts'

recordFacts(intuit, {
  facts: { realmId: '9130347957983546' },
  exchange: {
    callback: { code: 'code-1', state: 'state-1', realmId: '9130347957983546' },
    expect: {
      accessToken: 'eyJ-at-1',
      refreshToken: 'AB1-rt-1',
      accessSeconds: 3_600,
      refreshSeconds: 8_640_000,
      grantSeconds: 157_680_000,
      account: '9130347957983546',
    },
  },
  refresh: { expect: { accessToken: 'eyJ-at-2', refreshToken: 'AB1-rt-2', accessSeconds: 3_600, refreshSeconds: 8_640_000, grantSeconds: 157_000_000 } },
  errors: [
    ['refresh', 400, { error: 'invalid_grant', error_description: 'Token invalid' }, 'dead'],
    ['refresh', 400, { error: 'invalid_grant', error_description: 'Incorrect Token type or clientID' }, 'config'],
    ['exchange', 400, { error: 'invalid_grant', error_description: 'Invalid authorization code' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
  api: [[401, {}, { fault: { error: [{ message: 'message=AuthenticationFailed' }], type: 'AUTHENTICATION' } }, 'token_rejected']],
})
