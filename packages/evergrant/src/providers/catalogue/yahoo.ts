import { defineProvider } from '../define.ts'

const login = 'https://api.login.yahoo.com'

export const yahoo = defineProvider({
  id: 'yahoo',
  name: 'Yahoo',
  docs: 'https://developer.yahoo.com/oauth2/guide/',
  setup: [
    'Create an app at https://developer.yahoo.com/apps with the redirect URI {redirect_uri} and the API permissions that you need.',
    'Copy the client id (consumer key) and the client secret into the integration.',
  ],
  scopes: { openid: 'An id_token that names the account.' },
  variables: {
    api_domain: {
      label: 'API host of the Yahoo product',
      pattern: '[a-z0-9-]+(\\.[a-z0-9-]+)*\\.yahoo(apis)?\\.com',
      example: 'fantasysports.yahooapis.com',
      default: 'api.login.yahoo.com',
    },
  },
  authorize: { url: `${login}/oauth2/request_auth`, defaultScopes: ['openid'] },
  token: { url: `${login}/oauth2/get_token`, clientAuth: 'basic' },
  reuse: { evidence: 'Whether refresh tokens rotate, and what an old one does, is not documented.' },
  lifetimes: { accessSeconds: 3_600 },
  account: [
    { from: 'id_token', claim: 'sub', label: 'email' },
    { from: 'request', url: `${login}/openid/v1/userinfo`, path: 'sub', label: 'email', needsScope: ['openid'] },
  ],
  api: { base: 'https://{api_domain}' },
  check: { request: { url: `${login}/openid/v1/userinfo` }, where: { sub: '*' }, needsScope: ['openid'] },
  samples: {
    exchange: { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 3_600, token_type: 'bearer', scope: 'openid' },
    refresh: { access_token: 'access-2', refresh_token: null, expires_in: 3_600, token_type: 'bearer', scope: 'openid' },
    check: { sub: 'FSVIDUW3D7' },
  },
  notes: ['Each Yahoo product has an API host of its own.', 'There is no revoke endpoint in this record.'],
  unverified: ['token.clientAuth', 'lifetimes.accessSeconds', 'docs', 'authorize.pkce', 'variables.api_domain', 'setup', 'samples'],
  sources: ['github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#yahoo', 'github:SocialiteProviders Yahoo'],
})
