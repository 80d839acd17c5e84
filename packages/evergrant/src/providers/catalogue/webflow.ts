import { defineProvider } from '../define.ts'

export const webflow = defineProvider({
  id: 'webflow',
  name: 'Webflow',
  docs: 'https://developers.webflow.com/data/reference/oauth-app',
  setup: [
    'Create an app under Apps and Integrations in the settings of your Webflow workspace, with a data client and the redirect URI {redirect_uri}.',
    'Choose the scopes, and copy the client id and the client secret into the integration.',
  ],
  scopes: { 'authorized_user:read': 'Who the account is.' },
  authorize: { url: 'https://webflow.com/oauth/authorize', defaultScopes: ['authorized_user:read'] },
  token: { url: 'https://api.webflow.com/oauth/access_token' },
  answer: { paths: { refreshToken: null, expiresIn: null, idToken: null } },
  reuse: { class: 'P0', evidence: 'No refresh token is issued.' },
  rotation: 'never',
  lifetimes: { issuesRefreshToken: false },
  account: [{ from: 'request', url: 'https://api.webflow.com/v2/token/authorized_by', path: 'id', label: 'email', needsScope: ['authorized_user:read'] }],
  api: { base: 'https://api.webflow.com/v2' },
  check: { request: { url: 'https://api.webflow.com/v2/token/introspect' } },
  samples: { exchange: { access_token: 'access-1', scope: 'authorized_user:read' } },
  notes: ['Tokens have no end, and there is no refresh token.', 'There is no revoke endpoint in this record.'],
  unverified: ['check', 'account', 'authorize.defaultScopes', 'authorize.pkce', 'docs', 'setup', 'samples'],
  sources: ['github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#webflow', 'github:amp-labs/connectors providers/webflow.go'],
})
