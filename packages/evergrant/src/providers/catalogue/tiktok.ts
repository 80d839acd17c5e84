import { defineProvider } from '../define.ts'

export const tiktok = defineProvider({
  id: 'tiktok',
  name: 'TikTok (Login Kit and Content API)',
  docs: 'https://developers.tiktok.com/doc/oauth-user-access-token-management',
  setup: [
    'Create an app in TikTok for Developers and add Login Kit and the products it needs.',
    'Enter {redirect_uri} as its redirect URI.',
    'Copy client key and client secret into the integration as client id and client secret.',
  ],
  scopes: { 'user.info.basic': 'Read id, name and picture of the user' },
  authorize: {
    url: 'https://www.tiktok.com/v2/auth/authorize/',
    rename: { client_id: 'client_key' },
    scopeSeparator: ',',
    defaultScopes: ['user.info.basic'],
    pkce: 'unsupported',
  },
  token: { url: 'https://open.tiktokapis.com/v2/oauth/token/', rename: { client_id: 'client_key' } },
  answer: { paths: { refreshExpiresIn: 'refresh_expires_in', idToken: null }, scopeSeparator: ',' },
  verdicts: [
    { step: 'refresh', status: [200, 400, 401], where: { error: 'invalid_grant' }, verdict: 'dead', meaning: 'The refresh token is invalid or has expired.' },
    { step: 'exchange', status: [200], where: { error: 'invalid_grant' }, verdict: 'restart_flow', meaning: 'The code is spent or expired.' },
    { status: [200], where: { error: 'invalid_client' }, verdict: 'config', meaning: 'Client key or secret is wrong.' },
  ],
  reuse: { class: 'PU', evidence: 'A refresh may answer with a new refresh token; what the old one then does is not documented.' },
  rotation: 'sometimes',
  lifetimes: { accessSeconds: 86_400, refreshAbsoluteSeconds: 31_536_000, absoluteFrom: 'consent' },
  revoke: {
    url: 'https://open.tiktokapis.com/v2/oauth/revoke/',
    clientAuth: 'none',
    token: 'access',
    parameters: { client_key: '{client_id}', client_secret: '{client_secret}' },
    reach: 'grant',
  },
  account: [
    { from: 'answer', path: 'open_id', label: null },
    {
      from: 'request',
      url: 'https://open.tiktokapis.com/v2/user/info/?fields=open_id',
      path: 'data.user.open_id',
      label: null,
      needsScope: ['user.info.basic'],
    },
  ],
  api: {
    base: 'https://open.tiktokapis.com',
    answers: [
      { status: [200, 401], where: { 'error.code': 'access_token_invalid' }, means: 'token_rejected' },
      { status: [401, 403], where: { 'error.code': 'scope_not_authorized' }, means: 'scope_missing' },
    ],
  },
  check: { request: { url: 'https://open.tiktokapis.com/v2/user/info/', parameters: { fields: 'open_id' } }, needsScope: ['user.info.basic'] },
  samples: {
    exchange: {
      access_token: 'act.at-1',
      expires_in: 86_400,
      open_id: 'afd97af1-b87b-48b9-ac98-410aghda5344',
      refresh_expires_in: 31_536_000,
      refresh_token: 'rft.rt-1',
      scope: 'user.info.basic,video.list',
      token_type: 'Bearer',
    },
    refresh: {
      access_token: 'act.at-2',
      expires_in: 86_400,
      open_id: 'afd97af1-b87b-48b9-ac98-410aghda5344',
      refresh_expires_in: 31_500_000,
      refresh_token: 'rft.rt-2',
      scope: 'user.info.basic,video.list',
      token_type: 'Bearer',
    },
    check: { data: { user: { open_id: 'afd97af1-b87b-48b9-ac98-410aghda5344' } }, error: { code: 'ok' } },
  },
  notes: [
    'The client id is called client_key everywhere.',
    'The refresh token of an answer may be the same or new: always the returned one counts.',
    'A refresh token lives 365 days; refresh_expires_in tells what is left.',
  ],
  unverified: ['setup', 'docs', 'rotation', 'verdicts', 'authorize.pkce', 'lifetimes.absoluteFrom', 'revoke.token', 'revoke.reach', 'api.answers'],
  sources: ['https://developers.tiktok.com/doc/oauth-user-access-token-management'],
})
