import { recordFacts } from '../../testing/record-facts.ts'
import { square } from './square.ts'

const granted = { refreshToken: 'EQAA-rt-1', accessSeconds: 30 * 86_400, account: 'MLW1' }

recordFacts(square, {
  exchange: { expect: { accessToken: 'EAAA-at-1', ...granted } },
  refresh: [
    { expect: { accessToken: 'EAAA-at-2', ...granted } },
    {
      answer: { ...square.samples.refresh, refresh_token: 'EQAA-rt-2', refresh_token_expires_at: '2027-02-19T06:00:00Z' },
      expect: { accessToken: 'EAAA-at-2', ...granted, refreshToken: 'EQAA-rt-2', refreshSeconds: 90 * 86_400 },
    },
  ],
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { message: 'Not Authorized', type: 'service.not_authorized' }, 'unknown'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
  api: [[401, {}, { errors: [{ category: 'AUTHENTICATION_ERROR', code: 'ACCESS_TOKEN_EXPIRED' }] }, 'token_rejected']],
})
