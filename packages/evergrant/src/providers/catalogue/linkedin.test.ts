import { recordFacts } from '../../testing/record-facts.ts'
import { linkedin } from './linkedin.ts'

const scopes = ['openid', 'profile']

recordFacts(linkedin, {
  exchange: [
    {
      expect: { accessToken: 'at-1', refreshToken: 'rt-1', accessSeconds: 5_183_999, refreshSeconds: 31_535_999, scopes, account: 'jN_1', label: 'Jo' },
    },
    // An app without the Marketing APIs.
    { answer: { access_token: 'at-1', expires_in: 5_184_000, scope: 'openid,profile' }, expect: { accessToken: 'at-1', accessSeconds: 5_184_000, scopes } },
  ],
  refresh: { expect: { accessToken: 'at-2', refreshToken: 'rt-1', accessSeconds: 5_184_000, refreshSeconds: 25_920_000, scopes } },
  account: { answer: { sub: 'jN_1', name: 'Jo' }, account: 'jN_1', label: 'Jo', scopes: ['openid'] },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client', error_description: 'Client authentication failed' }, 'config'],
  ],
  api: [[401, {}, { status: 401, serviceErrorCode: 65_601, code: 'REVOKED_ACCESS_TOKEN' }, 'token_rejected']],
})
