import { recordFacts } from '../../testing/record-facts.ts'
import { oauth2 } from './oauth2.ts'

recordFacts(oauth2, {
  variables: { issuer: 'https://id.example.com' },
  exchange: [
    { expect: { accessToken: 'access-1' } },
    {
      answer: { access_token: 'access-1', token_type: 'bearer', refresh_token: 'refresh-1', expires_in: 3_600 },
      expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 3_600 },
    },
  ],
  refresh: { expect: { accessToken: 'access-2' } },
  account: { answer: { sub: '248289761001', email: 'jo@example.com' }, account: '248289761001', label: 'jo@example.com', scopes: ['openid'] },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 503, { error: 'temporarily_unavailable' }, 'unknown'],
  ],
})
