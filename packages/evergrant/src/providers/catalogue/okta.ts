import { defineProvider } from '../define.ts'

const server = 'https://{domain}/{+server}/v1'

export const okta = defineProvider({
  id: 'okta',
  name: 'Okta',
  docs: 'https://developer.okta.com/docs/guides/refresh-tokens/main/',
  setup: [
    'In the Okta admin console create an app integration: OIDC, Web Application.',
    'Tick the grant types Authorization Code and Refresh Token, and add the sign-in redirect URI {redirect_uri}.',
    'Copy the client id and the client secret into the integration, and fill in the domain and the path of the authorization server.',
  ],
  scopes: { openid: 'An id_token that names the account.', offline_access: 'A refresh token.' },
  variables: {
    domain: { label: 'Okta domain', pattern: '[a-z0-9][a-z0-9-]*(\\.[a-z0-9-]+)+', example: 'example.okta.com' },
    server: {
      label: 'Path of the authorization server (the org server is oauth2)',
      pattern: 'oauth2(/[A-Za-z0-9]{1,64})?',
      example: 'oauth2/default',
      default: 'oauth2/default',
    },
  },
  authorize: {
    url: `${server}/authorize`,
    defaultScopes: ['openid', 'offline_access'],
    requiredScopes: ['openid', 'offline_access'],
    chooseAccount: { prompt: 'login' },
  },
  token: { url: `${server}/token`, clientAuth: 'basic' },
  verdicts: [
    {
      step: 'refresh',
      status: [400],
      where: { error: 'invalid_grant' },
      verdict: 'dead',
      meaning: 'The refresh token is dead, idle for too long, or was reused.',
    },
  ],
  reuse: { class: 'P4', evidence: 'With rotation on, reuse outside the leeway ends the newest refresh token and all access tokens since login.' },
  rotation: 'optional',
  lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: 604_800 },
  revoke: { url: `${server}/revoke`, fallback: { token: 'access' } },
  account: [
    { from: 'id_token', claim: 'sub', label: 'email' },
    { from: 'request', url: `${server}/userinfo`, path: 'sub', label: 'email' },
  ],
  api: { base: 'https://{domain}/api/v1' },
  check: { request: { url: `${server}/userinfo` }, where: { sub: '*' }, needsScope: ['openid'] },
  limits: {
    api: [
      {
        name: 'window',
        limit: { header: 'X-Rate-Limit-Limit', at: 0 },
        remaining: { header: 'X-Rate-Limit-Remaining', at: 0 },
        reset: { header: 'X-Rate-Limit-Reset', format: 'epoch_seconds' },
        bucket: 'path',
      },
    ],
  },
  samples: {
    exchange: {
      token_type: 'Bearer',
      expires_in: 3_600,
      access_token: 'access-1',
      scope: 'openid offline_access',
      refresh_token: 'refresh-1',
      id_token: 'e30.eyJzdWIiOiIwMHVpZDRCeFh3NkkifQ.c2ln',
    },
    refresh: {
      token_type: 'Bearer',
      expires_in: 3_600,
      access_token: 'access-2',
      scope: 'openid offline_access',
      refresh_token: null,
    },
    check: { sub: '00uid4BxXw6I' },
  },
  notes: [
    "Rotation is a setting of the app. With its leeway of 30 seconds (the default) set the integration's reuse to P1:30; without rotation set P0.",
    'Refresh tokens end after 7 days without use unless the access policy says otherwise.',
  ],
  unverified: ['authorize.chooseAccount', 'lifetimes.accessSeconds', 'token.clientAuth', 'verdicts', 'limits', 'setup', 'samples'],
  sources: ['https://developer.okta.com/docs/guides/refresh-tokens/main/', 'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#okta'],
})
