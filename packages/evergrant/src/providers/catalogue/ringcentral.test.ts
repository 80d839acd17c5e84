import { recordFacts } from '../../testing/record-facts.ts'
import { ringcentral } from './ringcentral.ts'

const granted = { accessSeconds: 3_600, refreshSeconds: 604_800, scopes: ['ReadAccounts'], account: '256440016' }

recordFacts(ringcentral, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  errors: [
    // The status was not written down: whatever 4xx it is.
    ['refresh', 400, { message: 'Token not found' }, 'dead'],
    ['refresh', 401, { message: 'Token not found' }, 'dead'],
    ['refresh', 503, { message: 'Token not found' }, 'unknown'],
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
