import { defineProvider } from '../define.ts'

const rest = 'https://api.canva.com/rest/v1'

export const canva = defineProvider({
  id: 'canva',
  name: 'Canva Connect',
  docs: 'https://www.canva.dev/docs/connect/authentication/',
  setup: [
    'Create an integration at https://www.canva.com/developers/integrations and generate its client secret.',
    'Tick the scopes that you ask for, and add the redirect URL {redirect_uri}.',
    'Copy the client id and the client secret into the integration.',
  ],
  scopes: { 'profile:read': 'The profile of the account.' },
  authorize: { url: 'https://www.canva.com/api/oauth/authorize', defaultScopes: ['profile:read'], pkce: 'required' },
  token: { url: `${rest}/oauth/token`, clientAuth: 'basic' },
  verdicts: [
    {
      status: [400],
      where: { code: 'invalid_grant' },
      verdict: 'dead',
      meaning: 'The refresh token is spent, expired or revoked; the key is code, not error.',
    },
    { where: { code: 'invalid_client' }, verdict: 'config', meaning: 'The client id or secret is wrong.' },
  ],
  reuse: { evidence: 'What an old refresh token does is not documented.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 14_400 },
  revoke: { url: `${rest}/oauth/revoke`, reach: 'grant', fallback: { token: 'access' } },
  account: [{ from: 'request', url: `${rest}/users/me`, path: 'team_user.user_id', label: null }],
  api: { base: rest },
  check: { request: { url: `${rest}/users/me` }, where: { 'team_user.user_id': '*' } },
  samples: {
    exchange: { access_token: 'access-1', refresh_token: 'refresh-1', token_type: 'Bearer', expires_in: 14_400, scope: 'profile:read' },
    refresh: { access_token: 'access-2', refresh_token: 'refresh-2', token_type: 'Bearer', expires_in: 14_400, scope: 'profile:read' },
    check: { team_user: { user_id: 'auDAbliZ2rQNNOsUl5OLu', team_id: 'Oi2RJILTrKk0KRhRUZozX' } },
  },
  notes: [
    'Revoking a refresh token revokes its whole lineage and the consent of the user.',
    'Access tokens have up to 4 KB.',
    'Quotas count for each user of the client; Canva documents no headers for them.',
  ],
  unverified: ['account', 'setup', 'samples'],
  sources: ['github:canva-sdks/canva-connect-api-starter-kit openapi/spec.yml'],
})
