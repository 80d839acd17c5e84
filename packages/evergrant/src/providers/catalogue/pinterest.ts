import { defineProvider } from '../define.ts'

export const pinterest = defineProvider({
  id: 'pinterest',
  name: 'Pinterest',
  docs: 'https://developers.pinterest.com/docs/getting-started/set-up-authentication-and-authorization/',
  setup: [
    'Create an app in Pinterest Developers and wait for its approval.',
    'Add {redirect_uri} to its redirect links.',
    'Copy app id and app secret key into the integration as client id and client secret.',
  ],
  scopes: { 'user_accounts:read': 'Read the account of the user' },
  authorize: { url: 'https://www.pinterest.com/oauth/', scopeSeparator: ',', defaultScopes: ['user_accounts:read'], pkce: 'unsupported' },
  token: { url: 'https://api.pinterest.com/v5/oauth/token', clientAuth: 'basic', exchangeParameters: { continuous_refresh: 'true' } },
  verdicts: [
    { status: [401], where: { code: '*' }, verdict: 'config', meaning: 'Authentication failed: the app id or its secret is wrong.' },
    {
      step: 'refresh',
      status: [400, 403],
      where: { code: '*', error: 'invalid_grant' },
      verdict: 'dead',
      meaning: 'The refresh token has expired or was revoked.',
    },
    { status: [400, 403], where: { code: '*' }, verdict: 'unknown', meaning: 'An error whose code is not documented to end the grant.' },
  ],
  reuse: { class: 'PU', evidence: 'A refresh may answer with a new refresh token; what the old one then does is not documented.' },
  rotation: 'sometimes',
  lifetimes: { accessSeconds: 2_592_000, refreshIdleSeconds: 5_184_000 },
  account: [
    { from: 'request', url: 'https://api.pinterest.com/v5/user_account', path: 'id', label: 'username', needsScope: ['user_accounts:read'] },
    { from: 'request', url: 'https://api.pinterest.com/v5/user_account', path: 'username', label: 'username', needsScope: ['user_accounts:read'] },
  ],
  api: { base: 'https://api.pinterest.com/v5' },
  check: { request: { url: 'https://api.pinterest.com/v5/user_account' }, needsScope: ['user_accounts:read'] },
  samples: {
    exchange: {
      access_token: 'pina_at-1',
      refresh_token: 'pinr_rt-1',
      response_type: 'authorization_code',
      token_type: 'bearer',
      expires_in: 2_592_000,
      refresh_token_expires_in: 5_184_000,
      scope: 'user_accounts:read',
    },
    refresh: {
      access_token: 'pina_at-2',
      refresh_token: 'pinr_rt-2',
      response_type: 'refresh_token',
      token_type: 'bearer',
      expires_in: 2_592_000,
      refresh_token_expires_in: 5_184_000,
      scope: 'user_accounts:read',
    },
    check: { username: 'jo' },
  },
  notes: [
    'Refresh tokens live 60 days and can be renewed for ever; the older ones of 365 days are no longer supported. Apps made before 2025-09-25 must ask for them, and Evergrant always does.',
    'A refresh may answer with a new refresh token: always the returned one counts.',
    'Errors are a code and a message, not those of RFC 6749. One that is not known here is an unknown outcome and ends nothing.',
    'The revoke endpoint serves tokens of system users only, so Evergrant leaves it alone.',
  ],
  unverified: ['setup', 'authorize.defaultScopes', 'authorize.pkce', 'rotation', 'verdicts.1'],
  sources: ['https://github.com/pinterest/api-description/blob/main/v5/openapi.yaml'],
})
