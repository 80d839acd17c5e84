import { defineProvider } from '../define.ts'

export const clickup = defineProvider({
  id: 'clickup',
  name: 'ClickUp',
  docs: 'https://developer.clickup.com/docs/authentication',
  setup: [
    'An owner or admin creates an app under Settings, Apps (ClickUp API) with the redirect URL {redirect_uri}.',
    'Copy the client id and the client secret into the integration.',
  ],
  authorize: { url: 'https://app.clickup.com/api', scopeParameter: null },
  token: { url: 'https://api.clickup.com/api/v2/oauth/token' },
  answer: { paths: { refreshToken: null, expiresIn: null, idToken: null } },
  reuse: { class: 'P0', evidence: 'No refresh token is issued.' },
  rotation: 'never',
  lifetimes: { issuesRefreshToken: false },
  account: [{ from: 'request', url: 'https://api.clickup.com/api/v2/user', path: 'user.id', label: 'user.email' }],
  api: { base: 'https://api.clickup.com/api/v2' },
  check: { request: { url: 'https://api.clickup.com/api/v2/user' }, where: { 'user.id': '*' } },
  samples: {
    exchange: { access_token: 'access-1' },
    check: { user: { id: 123, username: 'Jo', email: 'jo@example.com' } },
  },
  notes: [
    'Tokens do not expire, and there is no refresh token.',
    'There are no scopes: people choose the workspaces on the page of the consent.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['lifetimes.issuesRefreshToken', 'notes', 'docs', 'authorize.pkce', 'setup', 'samples'],
  sources: [
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#clickup',
    'github:SocialiteProviders ClickUp',
    'github:amp-labs/connectors providers/clickup.go',
  ],
})
