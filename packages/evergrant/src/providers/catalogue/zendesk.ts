import { defineProvider } from '../define.ts'

const site = 'https://{subdomain}.zendesk.com'
/** Zendesk lets the client choose: its own defaults, asked for so that clients made before 2026-04-30 get them, too. */
const lifetimes = { expires_in: '1800', refresh_token_expires_in: '2592000' }

export const zendesk = defineProvider({
  id: 'zendesk',
  name: 'Zendesk',
  docs: 'https://developer.zendesk.com/documentation/api-basics/authentication/refresh-token',
  setup: [
    'In the Admin Center of Zendesk create an OAuth client of the kind Confidential with the redirect URL {redirect_uri}; a global client serves every subdomain.',
    'Copy its unique identifier (client id) and its secret into the integration.',
  ],
  scopes: { read: 'Everything, for reading.' },
  variables: {
    subdomain: { label: 'Zendesk subdomain', pattern: '[a-z0-9][a-z0-9-]{0,62}', example: 'example', askedOf: 'connection' },
  },
  authorize: { url: `${site}/oauth/authorizations/new`, defaultScopes: ['read'] },
  token: { url: `${site}/oauth/tokens`, bodyFormat: 'json', exchangeParameters: lifetimes, refreshParameters: lifetimes },
  reuse: { class: 'P3', evidence: 'A refresh deletes the previous access and refresh tokens.' },
  rotation: 'always',
  lifetimes: { refreshIdleSeconds: 2_592_000, refreshEndsAccessToken: true },
  account: [{ from: 'request', url: `${site}/api/v2/users/me.json`, path: 'user.id', label: 'user.email' }],
  api: { base: `${site}/api/v2` },
  check: { request: { url: `${site}/api/v2/users/me.json` }, where: { 'user.id': '*' } },
  samples: {
    exchange: {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      token_type: 'bearer',
      scope: 'read',
      expires_in: 1_800,
      refresh_token_expires_in: 2_592_000,
    },
    refresh: {
      access_token: 'access-2',
      refresh_token: 'refresh-2',
      token_type: 'bearer',
      scope: 'read',
      expires_in: 1_800,
      refresh_token_expires_in: 2_592_000,
    },
    check: { user: { id: 35436, email: 'jo@example.com', role: 'admin' } },
  },
  sunsets: [
    {
      what: 'Tokens without an end, of OAuth clients created before 2026-04-30.',
      on: '2027-04-01',
      instead: 'Tokens of 30 minutes with a refresh token of 30 days: connect such accounts again.',
    },
  ],
  notes: [
    'The client chooses the lifetimes in its requests: Evergrant asks for 30 minutes and 30 days.',
    'A refresh deletes the previous access token, too: callers in flight get one 401.',
    'Tokens issued before the client had refresh tokens cannot be refreshed.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['token.bodyFormat', 'authorize.pkce', 'verdicts', 'setup', 'samples'],
  sources: [
    'https://support.zendesk.com/hc/en-us/articles/9182123625370',
    'https://news.deltastring.com/story/1146',
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#zendesk',
  ],
})
