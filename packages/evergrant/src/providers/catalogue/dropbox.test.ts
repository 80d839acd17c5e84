import { recordFacts } from '../../testing/record-facts.ts'
import { dropbox } from './dropbox.ts'

const account = 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc'

recordFacts(dropbox, {
  exchange: { expect: { accessToken: 'sl.at-1', refreshToken: 'rt-1', accessSeconds: 14_400, scopes: ['account_info.read'], account } },
  refresh: { expect: { accessToken: 'sl.at-2', accessSeconds: 14_400 } },
  account: { answer: { account_id: account, email: 'jo@example.com' }, account, label: 'jo@example.com' },
  errors: [
    ['refresh', 400, { error: 'invalid_grant', error_description: 'refresh token is invalid or revoked' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant', error_description: "code doesn't exist or has expired" }, 'restart_flow'],
    ['refresh', 400, { error: 'invalid_client', error_description: 'Invalid client_id or client_secret' }, 'config'],
  ],
  api: [
    [401, {}, { error_summary: 'expired_access_token/.', error: { '.tag': 'expired_access_token' } }, 'token_rejected'],
    [429, { 'retry-after': '15' }, { error_summary: 'too_many_requests/.' }, 'throttled'],
  ],
})
