import { defineProvider } from '../define.ts'

const query = 'query { me { id account { id } } }'

export const monday = defineProvider({
  id: 'monday',
  name: 'monday.com',
  docs: 'https://developer.monday.com/apps/docs/oauth',
  setup: [
    'Create an app in the Developer Center of monday.com, and under OAuth add the redirect URL {redirect_uri} and the scopes.',
    'Copy the client id and the client secret into the integration.',
  ],
  scopes: { 'me:read': 'Who the account is.' },
  authorize: {
    url: 'https://auth.monday.com/oauth2/authorize',
    parameters: { force_install_if_needed: 'true' },
    omit: ['response_type'],
    defaultScopes: ['me:read'],
    pkce: 'unsupported',
  },
  token: { url: 'https://auth.monday.com/oauth2/token' },
  answer: { paths: { refreshToken: null, expiresIn: null, idToken: null } },
  reuse: { class: 'P0', evidence: 'No refresh token is issued.' },
  rotation: 'never',
  lifetimes: { issuesRefreshToken: false },
  account: [
    {
      from: 'request',
      method: 'POST',
      url: 'https://api.monday.com/v2',
      body: JSON.stringify({ query }),
      path: 'data.me.id',
      label: null,
      needsScope: ['me:read'],
    },
  ],
  api: { base: 'https://api.monday.com/v2' },
  check: {
    request: { method: 'POST', url: 'https://api.monday.com/v2', parameters: { query }, format: 'json' },
    where: { 'data.me.id': '*' },
    needsScope: ['me:read'],
  },
  samples: {
    exchange: { access_token: 'access-1', scope: 'me:read' },
    check: { data: { me: { id: '4012689', account: { id: '1234567' } } } },
  },
  notes: [
    'A token lives until the app is uninstalled; there is no refresh token.',
    'The API is GraphQL: one address, POST only.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['authorize.defaultScopes', 'docs', 'setup', 'samples'],
  sources: ['github:NangoHQ/nango docs monday', 'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#monday', 'github:SocialiteProviders Monday'],
})
