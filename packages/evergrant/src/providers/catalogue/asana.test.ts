import { recordFacts } from '../../testing/record-facts.ts'
import { asana } from './asana.ts'

const who = { account: '4673218951', label: 'jo@example.com' }

recordFacts(asana, {
  exchange: { expect: { accessToken: 'at-1', refreshToken: 'rt-1', accessSeconds: 3_600, ...who } },
  refresh: [
    { expect: { accessToken: 'at-2', accessSeconds: 3_600 } },
    { answer: { access_token: 'at-3', expires_in: 3_600, refresh_token: 'rt-3' }, expect: { accessToken: 'at-3', refreshToken: 'rt-3', accessSeconds: 3_600 } },
  ],
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
  api: [[401, {}, { errors: [{ message: 'Not Authorized' }] }, 'token_rejected']],
})
