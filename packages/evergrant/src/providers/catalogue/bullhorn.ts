import { defineProvider } from '../define.ts'

export const bullhorn = defineProvider({
  id: 'bullhorn',
  name: 'Bullhorn',
  docs: 'https://bullhorn.github.io/Getting-Started-with-REST/',
  setup: [
    'Ask Bullhorn support for an OAuth client and give the redirect URI {redirect_uri}.',
    'Copy the client id and the client secret that you receive into the integration.',
  ],
  variables: {
    restUrl: {
      label: 'REST address of the customer',
      pattern: 'https://[a-z0-9-]+(\\.[a-z0-9-]+)*\\.bullhornstaffing\\.com/[A-Za-z0-9/_-]*',
      example: 'https://rest91.bullhornstaffing.com/rest-services/abc123/',
      askedOf: 'provider',
    },
  },
  authorize: { url: 'https://auth-west.bullhornstaffing.com/oauth/authorize', scopeParameter: null, pkce: 'unsupported' },
  token: { url: 'https://auth-west.bullhornstaffing.com/oauth/token' },
  reuse: { evidence: 'Whether refresh tokens rotate, and what an old one does, is not documented.' },
  account: [{ from: 'variable', name: 'restUrl', pattern: '/rest-services/([^/]+)' }],
  api: { base: '{restUrl}', authorization: { header: 'BhRestToken', prefix: '' } },
  chain: [
    {
      request: {
        method: 'POST',
        url: 'https://rest-west.bullhornstaffing.com/rest-services/login',
        headers: null,
        parameters: { version: '*', access_token: '{access_token}', ttl: '10080' },
        format: 'query',
      },
      onRefresh: true,
      accessToken: 'BhRestToken',
      expiresIn: null,
      accessSeconds: 604_800,
      facts: { restUrl: 'restUrl' },
    },
  ],
  check: { request: { url: '{restUrl}/ping' } },
  samples: {
    exchange: { access_token: 'access-1', token_type: 'Bearer', expires_in: 600, refresh_token: 'refresh-1' },
    refresh: { access_token: 'access-2', token_type: 'Bearer', expires_in: 600, refresh_token: 'refresh-2' },
  },
  notes: [
    'Two exchanges in a row: the OAuth token, then a session of the REST API with a lifetime asked for in minutes (10,080, a week). A refresh does both again.',
    'The REST address comes with each session, and its host may change. The account is the corporation that the address names, not one person in it.',
    'Customers outside the west of the United States have other hosts: extend this record for them.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['docs', 'check', 'chain', 'setup', 'samples'],
  sources: [
    'https://bullhorn.github.io/rest-api-docs/',
    'github:NangoHQ/nango provider.client.ts (bullhornExpiresInMinutes)',
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#bullhorn',
  ],
})
