import { defineProvider } from '../define.ts'

export const netsuite = defineProvider({
  id: 'netsuite',
  name: 'NetSuite OAuth 2.0',
  docs: 'https://docs.oracle.com/en/cloud/saas/netsuite/',
  setup: [
    'In NetSuite enable OAuth 2.0 and REST Web Services under Setup, Company, Enable Features.',
    'Create an integration record (Setup, Integration, Manage Integrations) with Authorization Code Grant, the scope REST Web Services and the redirect URI {redirect_uri}.',
    'Copy the client id and the client secret into the integration: NetSuite shows them once.',
  ],
  scopes: { rest_webservices: 'The REST web services, with the role of the user.' },
  variables: {
    account_id: {
      label: 'Account id, as in the address of NetSuite (sandboxes: 1234567-sb1)',
      pattern: '[a-zA-Z0-9][a-zA-Z0-9-]{0,40}',
      example: '1234567',
      askedOf: 'connection',
    },
  },
  authorize: {
    url: 'https://{account_id}.app.netsuite.com/app/login/oauth2/authorize.nl',
    parameters: { prompt: 'consent' },
    defaultScopes: ['rest_webservices'],
    callback: { facts: { company: 'company', entity: 'entity' } },
  },
  token: { url: 'https://{account_id}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token', clientAuth: 'basic' },
  reuse: { evidence: 'Refresh answers carry no new refresh token.' },
  rotation: 'never',
  lifetimes: { refreshAbsoluteSeconds: 604_800, absoluteFrom: 'consent' },
  account: [{ from: 'callback', parameter: 'company + entity' }],
  api: { base: 'https://{account_id}.suitetalk.api.netsuite.com' },
  samples: {
    exchange: { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: '3600', token_type: 'bearer', scope: 'rest_webservices' },
    refresh: { access_token: 'access-2', refresh_token: null, expires_in: '3600', token_type: 'bearer' },
  },
  notes: [
    'A grant ends seven days after the consent, and nothing keeps it alive: the owner consents again every week. Evergrant warns a day before.',
    'Who needs longer uses the client credentials of NetSuite, with a certificate, which is another record.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['account', 'authorize.pkce', 'token.clientAuth', 'rotation', 'reuse', 'docs', 'setup', 'samples'],
  sources: ['github:NangoHQ/nango docs/integrations/all/netsuite.mdx', 'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#netsuite'],
})
