import { defineProvider } from '../define.ts'

const platform = 'https://platform.ringcentral.com'

export const ringcentral = defineProvider({
  id: 'ringcentral',
  name: 'RingCentral',
  docs: 'https://developers.ringcentral.com/guide/authentication/refresh-token-flow',
  setup: [
    'Create a REST API app with 3-legged OAuth at https://developers.ringcentral.com and add the redirect URI {redirect_uri}; switch refresh tokens on.',
    'Tick the permissions in the app, and copy the client id and the client secret into the integration.',
  ],
  authorize: { url: `${platform}/restapi/oauth/authorize`, scopeParameter: null },
  token: { url: `${platform}/restapi/oauth/token`, clientAuth: 'basic' },
  verdicts: [
    {
      step: 'refresh',
      where: { message: '/^token not found$/i' },
      verdict: 'dead',
      meaning: 'An old refresh token, more than 10 seconds after its successor was used.',
    },
  ],
  reuse: {
    class: 'P2',
    evidence:
      'Measured: an old refresh token keeps answering with the same new pair until 10 s after the new access token is first used, for at least an hour otherwise.',
  },
  rotation: 'always',
  lifetimes: { refreshEndsAccessToken: true },
  revoke: { url: `${platform}/restapi/oauth/revoke`, reach: 'grant', fallback: { token: 'access' } },
  account: [{ from: 'answer', path: 'owner_id', label: null }],
  api: { base: platform },
  check: { request: { url: `${platform}/restapi/v1.0/account/~/extension/~` } },
  samples: {
    exchange: {
      access_token: 'access-1',
      token_type: 'bearer',
      expires_in: 3_600,
      refresh_token: 'refresh-1',
      refresh_token_expires_in: 604_800,
      scope: 'ReadAccounts',
      owner_id: '256440016',
    },
    refresh: {
      access_token: 'access-2',
      token_type: 'bearer',
      expires_in: 3_600,
      refresh_token: 'refresh-2',
      refresh_token_expires_in: 604_800,
      scope: 'ReadAccounts',
      owner_id: '256440016',
    },
  },
  notes: ['A refresh ends the old access token at once: callers in flight get one 401.'],
  unverified: [
    'authorize.url',
    'token.url',
    'revoke',
    'account',
    'api.base',
    'answer.paths',
    'docs',
    'authorize.pkce',
    'authorize.scopeParameter',
    'check',
    'setup',
    'samples',
  ],
  sources: ['https://github.com/tylerlong/ringcentral-token-refresh-experiment'],
})
