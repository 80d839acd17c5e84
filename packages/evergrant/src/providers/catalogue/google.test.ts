import { recordFacts } from '../../testing/record-facts.ts'
import { google } from './google.ts'

const scopes = ['openid', 'https://www.googleapis.com/auth/userinfo.email']

recordFacts(google, {
  exchange: { expect: { accessToken: 'ya29.at-1', refreshToken: '1//rt-1', accessSeconds: 3_599, scopes, account: '42', label: 'jo@example.com' } },
  refresh: { expect: { accessToken: 'ya29.at-2', accessSeconds: 3_599, scopes } },
  account: { answer: { sub: '42', email: 'jo@example.com' }, account: '42', label: 'jo@example.com', scopes: ['openid'] },
  errors: [
    ['refresh', 400, { error: 'invalid_grant', error_description: 'Token has been expired or revoked.' }, 'dead'],
    ['refresh', 400, { error: 'invalid_grant', error_description: 'reauth related error (invalid_rapt)', error_subtype: 'invalid_rapt' }, 'dead'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
    ['exchange', 400, { error: 'invalid_grant', error_description: 'Bad Request' }, 'restart_flow'],
  ],
  api: [[401, { 'www-authenticate': 'Bearer error="invalid_token"' }, { error: { code: 401, status: 'UNAUTHENTICATED' } }, 'token_rejected']],
})
