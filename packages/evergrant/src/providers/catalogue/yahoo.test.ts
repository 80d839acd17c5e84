import { jwt, recordFacts } from '../../testing/record-facts.ts'
import { yahoo } from './yahoo.ts'

recordFacts(yahoo, {
  exchange: [
    { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 3_600, scopes: ['openid'] } },
    {
      answer: { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 3_600, id_token: jwt({ sub: 'FSVIDUW3D7', email: 'jo@example.com' }) },
      expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 3_600, account: 'FSVIDUW3D7', label: 'jo@example.com' },
    },
  ],
  refresh: { expect: { accessToken: 'access-2', accessSeconds: 3_600, scopes: ['openid'] } },
  account: { answer: { sub: 'FSVIDUW3D7', email: 'jo@example.com' }, account: 'FSVIDUW3D7', label: 'jo@example.com', scopes: ['openid'] },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})
