import { defineProvider } from '../define.ts'

const users = 'https://www.polaraccesslink.com/v3/users'

export const polar = defineProvider({
  id: 'polar',
  name: 'Polar AccessLink',
  docs: 'https://www.polar.com/accesslink-api/',
  setup: [
    'Create a client at https://admin.polaraccesslink.com with the redirect URI {redirect_uri}.',
    'Copy the client id and the client secret into the integration.',
  ],
  scopes: { 'accesslink.read_all': 'All data that AccessLink offers.' },
  authorize: { url: 'https://flow.polar.com/oauth2/authorization', defaultScopes: ['accesslink.read_all'] },
  token: { url: 'https://polarremote.com/v2/oauth2/token', clientAuth: 'basic' },
  answer: { paths: { refreshToken: null, idToken: null }, facts: { polar_user: 'x_user_id' } },
  reuse: { class: 'P0', evidence: 'No refresh token is issued.' },
  rotation: 'never',
  lifetimes: { issuesRefreshToken: false },
  revoke: { url: `${users}/{account}`, method: 'DELETE', clientAuth: 'bearer', format: 'query', token: 'access', parameter: null, reach: 'grant' },
  account: [{ from: 'answer', path: 'x_user_id', label: null }],
  api: { base: 'https://www.polaraccesslink.com' },
  afterConnect: [
    {
      finds: 'the registration of the user, without which every call fails',
      request: { method: 'POST', url: users, parameters: { 'member-id': '{polar_user}' }, format: 'json' },
      done: [409],
      needed: true,
    },
  ],
  check: { request: { url: `${users}/{polar_user}` } },
  limits: {
    api: [
      { name: 'quarter_hour', limit: { header: 'RateLimit-Limit', at: 0 }, used: { header: 'RateLimit-Usage', at: 0 }, windowSeconds: 900 },
      { name: 'day', limit: { header: 'RateLimit-Limit', at: 1 }, used: { header: 'RateLimit-Usage', at: 1 }, windowSeconds: 86_400 },
    ],
  },
  samples: { exchange: { access_token: 'access-1', token_type: 'bearer', expires_in: 31_535_999, x_user_id: 10_579 } },
  notes: [
    'After the consent the user must be registered at the application, or every call fails: Evergrant does it, with the id of the user at Polar as member-id.',
    'There is no refresh token: when the access token ends, the owner connects again.',
    'The quotas grow with the number of registered users.',
  ],
  unverified: ['lifetimes.issuesRefreshToken', 'api.base', 'authorize.defaultScopes', 'authorize.pkce', 'docs', 'limits', 'check', 'setup', 'samples'],
  sources: [
    'github:the-momentum/open-wearables backend/app/services/providers/polar/oauth.py',
    'github:polarofficial/accesslink-example-python',
    'github:the-momentum/open-wearables docs/providers/polar-api-integration.mdx',
  ],
})
