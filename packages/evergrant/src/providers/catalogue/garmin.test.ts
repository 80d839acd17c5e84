import { recordFacts } from '../../testing/record-facts.ts'
import { garmin } from './garmin.ts'

const granted = { tokenType: 'Bearer', accessSeconds: 86_400, refreshSeconds: 7_776_000 }

recordFacts(garmin, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  account: { answer: { userId: '9876543210' }, account: '9876543210' },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
