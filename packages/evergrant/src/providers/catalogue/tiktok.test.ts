import { recordFacts } from '../../testing/record-facts.ts'
import { tiktok } from './tiktok.ts'

const account = 'afd97af1-b87b-48b9-ac98-410aghda5344'
const granted = { accessSeconds: 86_400, scopes: ['user.info.basic', 'video.list'], account }
const dead = { error: 'invalid_grant', error_description: 'Refresh token is invalid or expired.', log_id: '2026' }

recordFacts(tiktok, {
  exchange: { expect: { accessToken: 'act.at-1', refreshToken: 'rft.rt-1', refreshSeconds: 31_536_000, ...granted } },
  refresh: { expect: { accessToken: 'act.at-2', refreshToken: 'rft.rt-2', refreshSeconds: 31_500_000, ...granted } },
  account: { answer: { data: { user: { open_id: account } }, error: { code: 'ok' } }, account, scopes: ['user.info.basic'] },
  errors: [
    ['refresh', 400, dead, 'dead'],
    ['refresh', 200, dead, 'dead'],
    ['exchange', 200, { error: 'invalid_grant', error_description: 'Authorization code is expired.' }, 'restart_flow'],
    ['refresh', 200, { error: 'invalid_client' }, 'config'],
    ['refresh', 200, { error: 'something_new' }, 'unknown'],
  ],
  api: [
    [401, {}, { error: { code: 'access_token_invalid', message: 'The access token is invalid or not found in the request.' } }, 'token_rejected'],
    [401, {}, { error: { code: 'scope_not_authorized' } }, 'scope_missing'],
  ],
})
