import { defineProvider } from '../define.ts'

export const intercom = defineProvider({
  id: 'intercom',
  name: 'Intercom',
  docs: 'https://developers.intercom.com/docs/build-an-integration/learn-more/authentication/setting-up-oauth',
  setup: [
    'Create an app in the Developer Hub of Intercom, switch OAuth on and add the redirect URL {redirect_uri}.',
    'Tick the permissions in the app: there are no scopes in the request.',
    'Copy the client id and the client secret into the integration, and choose the region of your customers.',
  ],
  variables: {
    region: {
      label: 'Region of the workspace',
      pattern: 'us|eu|au',
      example: 'us',
      default: 'us',
      choices: {
        us: { label: 'United States', sets: { app_host: 'app.intercom.com', api_host: 'api.intercom.io' } },
        eu: { label: 'Europe', sets: { app_host: 'app.eu.intercom.com', api_host: 'api.eu.intercom.io' } },
        au: { label: 'Australia', sets: { app_host: 'app.au.intercom.com', api_host: 'api.au.intercom.io' } },
      },
    },
  },
  authorize: { url: 'https://{app_host}/oauth', scopeParameter: null },
  token: { url: 'https://{api_host}/auth/eagle/token' },
  answer: { paths: { refreshToken: null, idToken: null } },
  reuse: { class: 'P0', evidence: 'No refresh token is issued.' },
  rotation: 'never',
  lifetimes: { issuesRefreshToken: false },
  revoke: { url: 'https://{api_host}/auth/uninstall', clientAuth: 'bearer', format: 'query', token: 'access', parameter: null, reach: 'grant' },
  account: [{ from: 'request', url: 'https://{api_host}/me', path: 'app.id_code + id', label: 'email' }],
  api: { base: 'https://{api_host}' },
  check: { request: { url: 'https://{api_host}/me' }, where: { id: '*' } },
  samples: {
    exchange: { access_token: 'access-1' },
    check: { type: 'admin', id: '814860', email: 'jo@example.com', app: { type: 'app', id_code: 'abc123' } },
  },
  notes: ['Tokens do not expire, and there is no refresh token.', 'The region changes every host.', 'Revocation uninstalls the app from the workspace.'],
  unverified: ['account', 'docs', 'authorize.pkce', 'revoke.url', 'setup', 'samples'],
  sources: ['github:NangoHQ/nango docs intercom and pre-connection-deletion.ts', 'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#intercom'],
})
