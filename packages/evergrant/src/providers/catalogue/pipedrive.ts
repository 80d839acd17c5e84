import { defineProvider } from '../define.ts'

export const pipedrive = defineProvider({
  id: 'pipedrive',
  name: 'Pipedrive',
  docs: 'https://pipedrive.readme.io/docs/marketplace-oauth-authorization',
  setup: [
    'Create an app in the Developer Hub of a Pipedrive sandbox account with the callback URL {redirect_uri}.',
    'Tick the scopes in the app: there are none in the request. Copy the client id and the client secret into the integration.',
  ],
  variables: {
    api_domain: {
      label: 'API domain of the company',
      pattern: 'https://[a-z0-9-]+(\\.[a-z0-9-]+)*\\.pipedrive\\.com',
      example: 'https://example.pipedrive.com',
      askedOf: 'provider',
    },
  },
  authorize: { url: 'https://oauth.pipedrive.com/oauth/authorize', scopeParameter: null, pkce: 'unsupported' },
  token: { url: 'https://oauth.pipedrive.com/oauth/token', clientAuth: 'basic' },
  answer: { facts: { api_domain: 'api_domain' }, scopeSeparator: ',' },
  reuse: { evidence: 'Whether refresh tokens rotate, and what an old one does, is not documented.' },
  account: [{ from: 'request', url: '{api_domain}/api/v1/users/me', path: 'data.company_id + data.id', label: 'data.email' }],
  api: { base: '{api_domain}/api' },
  check: { request: { url: '{api_domain}/api/v1/users/me' }, where: { 'data.id': '*' } },
  samples: {
    exchange: {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: 'base,deals:read',
      api_domain: 'https://example.pipedrive.com',
    },
    refresh: {
      access_token: 'access-2',
      refresh_token: 'refresh-1',
      token_type: 'Bearer',
      expires_in: 3_600,
      scope: 'base,deals:read',
      api_domain: 'https://example.pipedrive.com',
    },
    check: { success: true, data: { id: 11_223, company_id: 77_345, email: 'jo@example.com' } },
  },
  notes: ['Calls go to the API domain of the company, which stands in each token answer.', 'There is no revoke endpoint in this record.'],
  unverified: ['account', 'docs', 'setup', 'samples'],
  sources: ['github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#pipedrive'],
})
