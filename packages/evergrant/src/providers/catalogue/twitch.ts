import { defineProvider } from '../define.ts'

const validate = { url: 'https://id.twitch.tv/oauth2/validate', headers: { Authorization: 'OAuth {access_token}' } }

export const twitch = defineProvider({
  id: 'twitch',
  name: 'Twitch',
  docs: 'https://dev.twitch.tv/docs/authentication/refresh-tokens',
  setup: [
    'Register an application at https://dev.twitch.tv/console/apps with the OAuth redirect URL {redirect_uri} and the client type Confidential.',
    'Copy the client id and a new secret into the integration.',
  ],
  scopes: { openid: 'An id_token that names the account.' },
  authorize: { url: 'https://id.twitch.tv/oauth2/authorize', defaultScopes: ['openid'], pkce: 'unsupported', chooseAccount: { force_verify: 'true' } },
  token: { url: 'https://id.twitch.tv/oauth2/token' },
  verdicts: [
    {
      step: 'refresh',
      status: [400, 401],
      where: { message: '/^invalid refresh token$/i' },
      verdict: 'dead',
      meaning: 'The user disconnected the app or changed the password, or the refresh token is unknown.',
    },
    { step: 'exchange', status: [400], where: { message: '/invalid authorization code/i' }, verdict: 'restart_flow', meaning: 'The code is spent or expired.' },
  ],
  rotation: 'sometimes',
  reuse: { evidence: 'What an old refresh token does is not documented.' },
  revoke: { url: 'https://id.twitch.tv/oauth2/revoke', clientAuth: 'body', token: 'access', reach: 'grant' },
  account: [
    { from: 'id_token', claim: 'sub', label: 'preferred_username' },
    { from: 'request', ...validate, path: 'user_id', label: 'login' },
  ],
  api: { base: 'https://api.twitch.tv/helix', hosts: ['id.twitch.tv'], headers: { 'Client-Id': '{client_id}' } },
  check: { request: validate, where: { user_id: '*' }, everySeconds: 3_600 },
  samples: {
    exchange: { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 14_400, scope: ['openid'], token_type: 'bearer' },
    refresh: { access_token: 'access-2', refresh_token: 'refresh-2', expires_in: null, scope: ['openid'], token_type: 'bearer' },
    check: { client_id: 'client-1', login: 'jo', scopes: ['openid'], user_id: '141981764', expires_in: 5_520_838 },
  },
  notes: [
    'Apps must call /validate at their start and hourly; Twitch audits that. Evergrant does it as the check of the connection.',
    'Tokens die early for many reasons: Twitch recommends to refresh on a 401, which the proxy does.',
    'The granted scopes come back as an array.',
    'Calls of the API need the header Client-Id.',
  ],
  unverified: ['revoke', 'account', 'authorize.pkce', 'rotation', 'verdicts', 'setup', 'samples'],
  sources: [
    'https://dev.twitch.tv/docs/authentication/refresh-tokens',
    'https://dev.twitch.tv/docs/authentication/validate-tokens',
    'github:nextauthjs/next-auth@a1a16a5 packages/core/src/providers/twitch.ts',
  ],
})
