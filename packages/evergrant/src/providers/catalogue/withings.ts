import { defineProvider } from '../define.ts'

export const withings = defineProvider({
  id: 'withings',
  name: 'Withings',
  docs: 'https://developer.withings.com/developer-guide/v3/integration-guide/dropship-cellular/get-access/access-and-refresh-tokens/',
  setup: [
    'Create an application of the public API at https://developer.withings.com/dashboard with the callback URL {redirect_uri}.',
    'Copy the client id and the client secret into the integration.',
  ],
  scopes: { 'user.info': 'Profile and devices of the account.' },
  authorize: { url: 'https://account.withings.com/oauth2_user/authorize2', scopeSeparator: ',', defaultScopes: ['user.info'], pkce: 'unsupported' },
  token: {
    url: 'https://wbsapi.withings.net/v2/oauth2',
    exchangeParameters: { action: 'requesttoken' },
    refreshParameters: { action: 'requesttoken' },
  },
  answer: {
    success: { path: 'status', equals: 0 },
    paths: {
      accessToken: 'body.access_token',
      refreshToken: 'body.refresh_token',
      expiresIn: 'body.expires_in',
      refreshExpiresIn: null,
      scope: 'body.scope',
      tokenType: 'body.token_type',
      idToken: null,
    },
    scopeSeparator: ',',
  },
  verdicts: [
    { status: [200], where: { status: 601 }, verdict: 'throttled', meaning: 'Too many requests.' },
    {
      step: 'refresh',
      status: [200],
      where: { error: '/invalid refresh_?token/i' },
      verdict: 'dead',
      meaning: 'The refresh token is spent, expired or revoked.',
    },
    {
      step: 'exchange',
      status: [200],
      where: { error: '/invalid (authorization )?code/i' },
      verdict: 'restart_flow',
      meaning: 'The code is spent or expired.',
    },
    { status: [200], where: { error: '/invalid client/i' }, verdict: 'config', meaning: 'The client id or secret is wrong.' },
  ],
  reuse: { class: 'P2', evidence: 'The old refresh token dies 8 hours after the refresh, or when the new access token is first used.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 10_800, refreshIdleSeconds: 31_536_000 },
  account: [{ from: 'answer', path: 'body.userid', label: null }],
  api: {
    base: 'https://wbsapi.withings.net',
    answers: [
      { status: [200], where: { status: 401 }, means: 'token_rejected' },
      { status: [200], where: { status: 601 }, means: 'throttled' },
    ],
  },
  check: {
    request: { method: 'POST', url: 'https://wbsapi.withings.net/v2/user', parameters: { action: 'getdevice' } },
    where: { status: 0 },
    needsScope: ['user.info'],
  },
  samples: {
    exchange: {
      status: 0,
      body: {
        userid: 363,
        access_token: 'access-1',
        refresh_token: 'refresh-1',
        scope: 'user.info',
        expires_in: 10_800,
      },
    },
    refresh: {
      status: 0,
      body: {
        userid: 363,
        access_token: 'access-2',
        refresh_token: 'refresh-2',
        scope: 'user.info',
        expires_in: 10_800,
      },
    },
    check: { status: 0, body: {} },
  },
  notes: [
    'The old refresh token ends 8 hours after the refresh, or as soon as the new access token is used: Evergrant stores the new pair before it hands anything out.',
    'Tokens that were lost can be had back with the action recoverauthorizationcode, by hand.',
    'Every answer has HTTP 200; success is status 0, and the fields stand under "body".',
    'A failure whose text is not known here is treated as an unknown outcome, never as a dead grant.',
    'The medical cloud of the United States has a host of its own: extend this record for it.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['authorize.pkce', 'authorize.defaultScopes', 'verdicts', 'api.answers', 'check', 'setup', 'samples'],
  sources: ['https://support.withings.com/hc/en-us/articles/360016745358', 'github:vangorra/python_withings_api withings_api/__init__.py'],
})
