import { defineProvider } from '../define.ts'

const profile = 'https://api.prod.whoop.com/developer/v2/user/profile/basic'

export const whoop = defineProvider({
  id: 'whoop',
  name: 'WHOOP',
  docs: 'https://developer.whoop.com/docs/developing/oauth',
  setup: [
    'Create an app at https://developer-dashboard.whoop.com with the redirect URL {redirect_uri}.',
    'Copy the client id and the client secret into the integration.',
  ],
  scopes: { offline: 'A refresh token.', 'read:profile': 'Name and mail address of the account.' },
  authorize: {
    url: 'https://api.prod.whoop.com/oauth/oauth2/auth',
    defaultScopes: ['offline', 'read:profile'],
    requiredScopes: ['offline'],
  },
  token: { url: 'https://api.prod.whoop.com/oauth/oauth2/token', refreshParameters: { scope: 'offline' } },
  reuse: { class: 'P3', evidence: 'Every refresh answers with a new refresh token; the old one is refused.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 3_600 },
  revoke: {
    url: 'https://api.prod.whoop.com/developer/v2/user/access',
    method: 'DELETE',
    clientAuth: 'bearer',
    format: 'query',
    token: 'access',
    parameter: null,
    reach: 'grant',
  },
  account: [{ from: 'request', url: profile, path: 'user_id', label: 'email', needsScope: ['read:profile'] }],
  api: { base: 'https://api.prod.whoop.com/developer' },
  check: { request: { url: profile }, where: { user_id: '*' }, needsScope: ['read:profile'] },
  limits: {
    api: [
      {
        name: 'nearest_window',
        limit: { header: 'X-RateLimit-Limit', at: 0 },
        remaining: { header: 'X-RateLimit-Remaining', at: 0 },
        reset: { header: 'X-RateLimit-Reset', format: 'seconds' },
      },
    ],
  },
  samples: {
    exchange: { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 3_600, scope: 'offline read:profile', token_type: 'bearer' },
    refresh: { access_token: 'access-2', refresh_token: 'refresh-2', expires_in: 3_600, scope: 'offline read:profile', token_type: 'bearer' },
    check: { user_id: 10_129, email: 'jo@example.com', first_name: 'Jo', last_name: 'Smith' },
  },
  notes: [
    'No refresh token comes without the scope offline, and a refresh must ask for it again.',
    '100 calls a minute and 10,000 a day for each app; the headers tell of the window that ends first.',
  ],
  unverified: ['reuse', 'api.base', 'authorize.pkce', 'revoke.reach', 'setup', 'samples'],
  sources: [
    'https://developer.whoop.com/docs/tutorials/refresh-token-javascript',
    'https://developer.whoop.com/docs/tutorials/refresh-token-postman',
    'https://developer.whoop.com/docs/developing/rate-limiting',
    'github:the-momentum/open-wearables backend/app/services/providers/whoop/oauth.py',
  ],
})
