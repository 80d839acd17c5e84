import { defineProvider } from '../define.ts'

export const reddit = defineProvider({
  id: 'reddit',
  name: 'Reddit',
  docs: 'https://github.com/reddit-archive/reddit/wiki/OAuth2',
  setup: [
    'Create an app of the type "web app" at https://www.reddit.com/prefs/apps and enter the redirect URI {redirect_uri}.',
    'Copy the client id (under the name of the app) and the secret into the integration.',
    'Choose a User-Agent that names the app, its version and a Reddit user: Reddit refuses calls without one.',
  ],
  scopes: { identity: 'Who the account is: name and age, without mail address.' },
  variables: {
    user_agent: {
      label: 'User-Agent that names your app',
      pattern: '[A-Za-z0-9][A-Za-z0-9 ./:;@()_+-]{4,199}',
      example: 'web:com.example.app:v1.0 (by /u/example)',
    },
  },
  authorize: {
    url: 'https://www.reddit.com/api/v1/authorize',
    parameters: { duration: 'permanent' },
    defaultScopes: ['identity'],
  },
  token: { url: 'https://www.reddit.com/api/v1/access_token', clientAuth: 'basic', headers: { 'User-Agent': '{user_agent}' } },
  reuse: { evidence: 'The refresh token stays the same: refresh answers may omit it.' },
  rotation: 'never',
  revoke: { url: 'https://www.reddit.com/api/v1/revoke_token', fallback: { token: 'access' } },
  account: [{ from: 'request', url: 'https://oauth.reddit.com/api/v1/me', path: 'id', label: 'name', needsScope: ['identity'] }],
  api: { base: 'https://oauth.reddit.com', headers: { 'User-Agent': '{user_agent}' } },
  check: { request: { url: 'https://oauth.reddit.com/api/v1/me' }, needsScope: ['identity'] },
  limits: {
    api: [{ name: 'window', remaining: { header: 'X-Ratelimit-Remaining', at: 0 }, reset: { header: 'X-Ratelimit-Reset', format: 'seconds' } }],
  },
  samples: {
    exchange: { access_token: 'access-1', refresh_token: 'refresh-1', token_type: 'bearer', expires_in: 86_400, scope: 'identity' },
    refresh: { access_token: 'access-2', refresh_token: null, token_type: 'bearer', expires_in: 86_400, scope: 'identity' },
    check: { id: '1a2b3c', name: 'jo' },
  },
  notes: ['No refresh token comes without duration=permanent.', 'A descriptive User-Agent is mandatory, at the token endpoint and at the API.'],
  unverified: ['revoke', 'limits', 'rotation', 'reuse', 'authorize.pkce', 'setup', 'samples'],
  sources: [
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#reddit',
    'github:nextauthjs/next-auth@a1a16a5 packages/core/src/providers/reddit.ts',
    'github:gitroomhq/postiz-app reddit.provider.ts',
  ],
})
