import { recordFacts } from '../../testing/record-facts.ts'
import { okta } from './okta.ts'

const granted = { accessSeconds: 3_600, scopes: ['openid', 'offline_access'], account: '00uid4BxXw6I' }

recordFacts(okta, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', accessSeconds: 3_600, scopes: granted.scopes } },
  account: { answer: { sub: '00uid4BxXw6I', email: 'jo@example.com' }, account: '00uid4BxXw6I', label: 'jo@example.com', scopes: ['openid'] },
  errors: [
    ['refresh', 400, { error: 'invalid_grant', error_description: 'The refresh token is invalid or expired.' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant', error_description: 'The authorization code is invalid or has expired.' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
    ['refresh', 429, { errorCode: 'E0000047', errorSummary: 'API call exceeded rate limit due to too many requests.' }, 'throttled'],
  ],
})
