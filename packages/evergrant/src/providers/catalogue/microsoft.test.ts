import { recordFacts } from '../../testing/record-facts.ts'
import { microsoft } from './microsoft.ts'

const who = { account: 't-1:o-1', label: 'jo@example.com', scopes: ['openid', 'profile', 'User.Read'] }
const grant = (...codes: number[]) => ({ error: 'invalid_grant', error_codes: codes })

recordFacts(microsoft, {
  exchange: { expect: { accessToken: 'EwB-at-1', refreshToken: 'M.C5-rt-1', accessSeconds: 4_711, ...who } },
  refresh: { expect: { accessToken: 'EwB-at-2', refreshToken: 'M.C5-rt-2', accessSeconds: 5_012, ...who } },
  errors: [
    ['refresh', 400, { ...grant(700_082), error_description: 'AADSTS700082: The refresh token has expired due to inactivity...' }, 'expired'],
    ['refresh', 400, grant(50_173), 'dead'],
    ['refresh', 400, grant(70_008), 'expired'],
    ['exchange', 400, grant(70_008), 'restart_flow'],
    ['refresh', 400, { error: 'interaction_required', error_codes: [50_076, 50_079] }, 'dead'],
    ['refresh', 401, { error: 'invalid_client', error_codes: [7_000_215, 7_000_222] }, 'config'],
    ['refresh', 400, grant(50_196), 'throttled'],
    ['refresh', 400, { error: 'invalid_grant', error_codes: [90_094] }, 'admin_approval'],
  ],
  api: [[401, {}, { error: { code: 'InvalidAuthenticationToken' } }, 'token_rejected']],
})
