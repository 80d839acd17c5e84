import { defineProvider } from '../define.ts'

const launchpad = 'https://launchpad.37signals.com'

export const basecamp = defineProvider({
  id: 'basecamp',
  name: 'Basecamp (37signals Launchpad)',
  docs: 'https://github.com/basecamp/api/blob/master/sections/authentication.md',
  setup: [
    'Register an app at https://launchpad.37signals.com/integrations with the redirect URI {redirect_uri}.',
    'Copy the client id and the client secret into the integration.',
    'Choose a User-Agent with the name of the app and a contact: Basecamp refuses calls without one.',
  ],
  variables: {
    user_agent: {
      label: 'User-Agent that names your app and a contact',
      pattern: '[A-Za-z0-9][A-Za-z0-9 ./:;@()_+-]{4,199}',
      example: 'Example app (support@example.com)',
    },
    account_id: { label: 'Basecamp account', pattern: '[0-9]{1,20}', example: '999999999', askedOf: 'provider' },
  },
  authorize: { url: `${launchpad}/authorization/new`, parameters: { type: 'web_server' }, scopeParameter: null },
  token: {
    url: `${launchpad}/authorization/token`,
    headers: { 'User-Agent': '{user_agent}' },
    omit: ['grant_type'],
    exchangeParameters: { type: 'web_server' },
    refreshParameters: { type: 'refresh' },
  },
  reuse: { evidence: 'Refresh answers carry no new refresh token.' },
  rotation: 'never',
  account: [{ from: 'request', url: `${launchpad}/authorization.json`, path: 'identity.id', label: 'identity.email_address' }],
  api: {
    base: 'https://3.basecampapi.com/{account_id}',
    hosts: ['launchpad.37signals.com'],
    headers: { 'User-Agent': '{user_agent}' },
  },
  afterConnect: [
    {
      finds: 'the Basecamp account',
      request: { url: `${launchpad}/authorization.json` },
      from: { list: 'accounts', where: { product: 'bc3' } },
      facts: { account_id: 'id' },
      needed: true,
    },
  ],
  check: { request: { url: `${launchpad}/authorization.json` }, where: { 'identity.id': '*' } },
  samples: {
    exchange: { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 1_209_600 },
    refresh: { access_token: 'access-2', refresh_token: null, expires_in: 1_209_600 },
    check: {
      expires_at: '2026-12-05T06:00:00Z',
      identity: { id: 9_999_999, email_address: 'jo@example.com' },
      accounts: [{ product: 'bc3', id: 999_999_999, name: 'Example', href: 'https://3.basecampapi.com/999999999' }],
    },
  },
  notes: [
    'The requests are older than the standard: type=web_server and type=refresh instead of grant_type.',
    'One identity may have several accounts: Evergrant takes the first one of Basecamp 3 or 4.',
    'A User-Agent with a contact is mandatory.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['account', 'afterConnect', 'rotation', 'reuse', 'docs', 'authorize.pkce', 'setup', 'samples'],
  sources: [
    'https://github.com/basecamp/api/blob/master/sections/authentication.md',
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#basecamp',
  ],
})
