import { defineProvider } from '../define.ts'

export const auth0 = defineProvider({
  id: 'auth0',
  name: 'Auth0',
  docs: 'https://auth0.com/docs/secure/tokens/refresh-tokens/refresh-token-rotation',
  setup: [
    'Create a Regular Web Application in the Auth0 dashboard and add {redirect_uri} to its Allowed Callback URLs.',
    'Switch the grant type Refresh Token on, and Allow Offline Access on the API whose tokens you want.',
    "Copy domain, client id and client secret into the integration; name that API in the integration's authorize parameter audience.",
  ],
  scopes: { openid: 'An id_token that names the account.', offline_access: 'A refresh token.' },
  variables: {
    domain: { label: 'Auth0 domain', pattern: '[a-z0-9][a-z0-9-]*(\\.[a-z0-9-]+)+', example: 'example.eu.auth0.com' },
  },
  authorize: {
    url: 'https://{domain}/authorize',
    defaultScopes: ['openid', 'offline_access'],
    requiredScopes: ['offline_access'],
    chooseAccount: { prompt: 'login' },
  },
  token: { url: 'https://{domain}/oauth/token' },
  reuse: { class: 'P4', evidence: 'With rotation on, reuse outside the overlap period ends the whole family.' },
  rotation: 'optional',
  lifetimes: { cap: { grants: 200, next: 'oldest_ends' } },
  revoke: { url: 'https://{domain}/oauth/revoke', reach: 'grant' },
  account: [
    { from: 'id_token', claim: 'sub', label: 'email' },
    { from: 'request', url: 'https://{domain}/userinfo', path: 'sub', label: 'email', needsScope: ['openid'] },
  ],
  api: { base: 'https://{domain}' },
  check: { request: { url: 'https://{domain}/userinfo' }, where: { sub: '*' }, needsScope: ['openid'] },
  samples: {
    exchange: {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      id_token: null,
      token_type: 'Bearer',
      expires_in: 86_400,
      scope: 'openid offline_access',
    },
    refresh: {
      access_token: 'access-2',
      refresh_token: null,
      id_token: null,
      token_type: 'Bearer',
      expires_in: 86_400,
      scope: 'openid offline_access',
    },
    check: { sub: 'auth0|1' },
  },
  notes: [
    "Rotation is a setting of the application: without it set the integration's reuse to P0, with an overlap period of n seconds to P1:n.",
    'A dead grant answers with HTTP 403; 401 and 400 have been seen.',
    'At most 200 live refresh tokens for each user and application: the next one silently ends the oldest.',
    'Idle and maximum lifetimes of refresh tokens are settings of the application; 30 days and one year are usual.',
    'Without an audience the access token is opaque and good for userinfo alone.',
  ],
  unverified: ['authorize.chooseAccount', 'revoke.reach', 'setup', 'samples'],
  sources: [
    'github:auth0/docs-v2 refresh-token-rotation.mdx, configure-refresh-token-expiration.mdx, refresh-tokens.mdx',
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#auth0',
  ],
})
