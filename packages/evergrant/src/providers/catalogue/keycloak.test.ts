import { jwt, recordFacts } from '../../testing/record-facts.ts'
import { keycloak } from './keycloak.ts'

const granted = { accessSeconds: 300, refreshSeconds: 1_800, scopes: ['openid', 'offline_access'] }
const invalid = (text: string) => ({ error: 'invalid_grant', error_description: text })

recordFacts(keycloak, {
  exchange: [
    { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
    {
      answer: { access_token: 'access-1', expires_in: 300, token_type: 'Bearer', id_token: jwt({ sub: '7c18', preferred_username: 'jo' }) },
      expect: { accessToken: 'access-1', accessSeconds: 300, account: '7c18', label: 'jo' },
    },
    // An offline token has no end: 0 is not the past.
    {
      answer: { access_token: 'access-1', expires_in: 300, refresh_expires_in: 0, refresh_token: 'refresh-1', token_type: 'Bearer' },
      expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 300 },
    },
  ],
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  account: { answer: { sub: '7c18', preferred_username: 'jo' }, account: '7c18', label: 'jo', scopes: ['openid'] },
  errors: [
    ['refresh', 400, invalid('Maximum allowed refresh token reuse exceeded'), 'dead'],
    ['refresh', 400, invalid('Token is not active'), 'expired'],
    ['refresh', 400, invalid('Session not active'), 'dead'],
    ['refresh', 400, invalid("Session doesn't have required client"), 'dead'],
    ['exchange', 400, invalid('Code not valid'), 'restart_flow'],
    ['refresh', 401, { error: 'unauthorized_client', error_description: 'Invalid client or Invalid client credentials' }, 'config'],
  ],
})
