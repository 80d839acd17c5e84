import { defineProvider } from '../define.ts'

export const airtable = defineProvider({
  id: 'airtable',
  name: 'Airtable',
  docs: 'https://airtable.com/developers/web/api/oauth-reference',
  setup: [
    'Register an OAuth integration at https://airtable.com/create/oauth with the redirect URL {redirect_uri}.',
    'Generate a client secret, tick the scopes, and copy client id and secret into the integration.',
  ],
  scopes: { 'data.records:read': 'The data in records.' },
  authorize: { url: 'https://airtable.com/oauth2/v1/authorize', defaultScopes: ['data.records:read'], pkce: 'required' },
  token: { url: 'https://airtable.com/oauth2/v1/token', clientAuth: 'basic' },
  answer: { paths: { refreshExpiresIn: 'refresh_expires_in' } },
  reuse: { class: 'P3', evidence: 'A refresh token that was used is refused; presenting it again can get the grant revoked.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: 5_184_000, refreshEndsAccessToken: true },
  account: [{ from: 'request', url: 'https://api.airtable.com/v0/meta/whoami', path: 'id', label: 'email' }],
  api: { base: 'https://api.airtable.com/v0' },
  check: { request: { url: 'https://api.airtable.com/v0/meta/whoami' }, where: { id: '*' } },
  samples: {
    exchange: {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      token_type: 'Bearer',
      scope: 'data.records:read',
      expires_in: 3_600,
      refresh_expires_in: 5_184_000,
    },
    refresh: {
      access_token: 'access-2',
      refresh_token: 'refresh-2',
      token_type: 'Bearer',
      scope: 'data.records:read',
      expires_in: 3_600,
      refresh_expires_in: 5_184_000,
    },
    check: { id: 'usrL2PNC5o3H4lBEi' },
  },
  notes: [
    'A refresh also ends the old access token: calls in flight with it fail once.',
    'The refresh token ends after 60 days without a refresh.',
    'Presenting a refresh token that was refused can get it revoked.',
  ],
  unverified: ['account', 'lifetimes.accessSeconds', 'setup', 'samples'],
  sources: [
    'github:Airtable/oauth-example index.js',
    'https://www.nango.dev/blog/airtable-oauth-refresh-token-invalid-grant',
    'github:amp-labs/connectors providers/airtable.go',
  ],
})
