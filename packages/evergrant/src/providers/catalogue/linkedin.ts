import { defineProvider } from '../define.ts'

export const linkedin = defineProvider({
  id: 'linkedin',
  name: 'LinkedIn',
  docs: 'https://learn.microsoft.com/linkedin/shared/authentication/programmatic-refresh-tokens',
  setup: [
    'Create an app in the LinkedIn developer portal and add the products whose scopes it needs.',
    'On its Auth page add {redirect_uri} to the authorized redirect URLs.',
    'Copy client id and client secret into the integration.',
    'Refresh tokens are given only to apps approved for the Marketing APIs; without them people reconnect every 60 days.',
  ],
  scopes: { openid: 'Know who the member is', profile: "Read the member's name and picture" },
  authorize: { url: 'https://www.linkedin.com/oauth/v2/authorization', defaultScopes: ['openid', 'profile'], pkce: 'unsupported' },
  token: { url: 'https://www.linkedin.com/oauth/v2/accessToken' },
  reuse: { evidence: 'A refresh answers with the same refresh token.' },
  rotation: 'never',
  lifetimes: { accessSeconds: 5_184_000, refreshAbsoluteSeconds: 31_536_000, absoluteFrom: 'consent' },
  revoke: { url: 'https://www.linkedin.com/oauth/v2/revoke', clientAuth: 'body', token: 'access' },
  account: [
    { from: 'id_token', claim: 'sub', label: 'name' },
    { from: 'request', url: 'https://api.linkedin.com/v2/userinfo', path: 'sub', label: 'name', needsScope: ['openid'] },
  ],
  api: { base: 'https://api.linkedin.com' },
  check: { request: { url: 'https://api.linkedin.com/v2/userinfo' }, needsScope: ['openid'] },
  samples: {
    exchange: {
      access_token: 'at-1',
      expires_in: 5_183_999,
      refresh_token: 'rt-1',
      refresh_token_expires_in: 31_535_999,
      scope: 'openid,profile',
      token_type: 'Bearer',
      id_token: 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJqTl8xIiwibmFtZSI6IkpvIn0.c2ln',
    },
    refresh: {
      access_token: 'at-2',
      expires_in: 5_184_000,
      refresh_token: 'rt-1',
      refresh_token_expires_in: 25_920_000,
      scope: 'openid,profile',
      token_type: 'Bearer',
    },
    check: { sub: 'jN_1' },
  },
  notes: [
    'A code challenge is refused by apps that LinkedIn has not opened for PKCE, and the id_token carries no nonce.',
    "A grant ends 365 days after the member's consent: no refresh extends it, and refresh_token_expires_in counts down. Plan to ask again after 11 months.",
    'Near the end of the year a new access token lives only as long as the refresh token.',
    'Only apps approved for Marketing or Advertising get refresh tokens; all others get an access token of 60 days and nothing else.',
  ],
  unverified: ['setup', 'revoke', 'authorize.pkce', 'reuse', 'account.0'],
  sources: [
    'https://learn.microsoft.com/en-us/linkedin/shared/authentication/programmatic-refresh-tokens',
    'https://github.com/directus/directus/issues/23645',
  ],
})
