import { recordFacts } from '../../testing/record-facts.ts'
import { miro } from './miro.ts'

const granted = { accessSeconds: 3_599, scopes: ['boards:read'], account: '9876543210:1234567890', facts: { team_id: '1234567890' } }

recordFacts(miro, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
