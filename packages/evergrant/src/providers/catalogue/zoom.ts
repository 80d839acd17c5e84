import { defineProvider } from '../define.ts'

export const zoom = defineProvider({
  id: 'zoom',
  name: 'Zoom',
  docs: 'https://developers.zoom.us/docs/integrations/oauth/',
  setup: [
    'Create a user-managed OAuth app in the Zoom App Marketplace.',
    'Set its OAuth redirect URL to {redirect_uri}, and add the same URL to its allow list.',
    'Choose the scopes in the app: Zoom takes them from there, not from the authorization URL.',
    'Copy client id and client secret into the integration.',
  ],
  scopes: { 'user:read:user': 'Read the profile of the user' },
  authorize: { url: 'https://zoom.us/oauth/authorize', scopeParameter: null, defaultScopes: ['user:read:user'] },
  token: { url: 'https://zoom.us/oauth/token', clientAuth: 'basic' },
  verdicts: [
    {
      step: 'refresh',
      status: [400, 401],
      where: { reason: '/invalid token/i' },
      verdict: 'dead',
      meaning: 'An older refresh token, or the same Zoom user authorized the app again elsewhere.',
    },
    { step: 'exchange', status: [400, 401], where: { reason: '/authorization code/i' }, verdict: 'restart_flow', meaning: 'The code is spent or expired.' },
    {
      step: 'refresh',
      status: [400],
      where: { error: 'invalid_request' },
      verdict: 'unknown',
      meaning: 'Without that reason it can be an inner error of Zoom.',
    },
  ],
  reuse: { class: 'P3', evidence: 'Only the latest refresh token works; an answer lost on the network cannot be had again (developer forum, thread 10375).' },
  rotation: 'always',
  lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: 7_776_000, onePerAccount: true },
  revoke: { url: 'https://zoom.us/oauth/revoke', token: 'access' },
  account: [{ from: 'request', url: 'https://api.zoom.us/v2/users/me', path: 'id', label: 'email' }],
  api: { base: 'https://api.zoom.us/v2' },
  check: { request: { url: 'https://api.zoom.us/v2/users/me' } },
  samples: {
    exchange: { access_token: 'at-1', token_type: 'bearer', refresh_token: 'rt-1', expires_in: 3_599, scope: 'user:read:user' },
    refresh: { access_token: 'at-2', token_type: 'bearer', refresh_token: 'rt-2', expires_in: 3_599, scope: 'user:read:user' },
    check: { id: 'z8dsdsdsdsdCfp8uQ', email: 'jo@example.com' },
  },
  notes: [
    'One live pair of tokens per Zoom user and app: connecting the same user a second time ends the first connection.',
    'The code "invalid_request" tells of a dead grant only with the reason "Invalid Token!".',
    'How long an unused refresh token lives is disputed: Zoom says 15 years, newer guides 90 days. Evergrant counts on the shorter.',
  ],
  unverified: ['setup', 'docs', 'authorize.pkce', 'authorize.defaultScopes', 'verdicts.1', 'revoke', 'lifetimes.refreshIdleSeconds', 'account.0.label'],
  sources: [
    'https://devsupport.zoom.us/hc/en-us/articles/360060332931',
    'https://devforum.zoom.us/t/how-to-protect-against-losing-refresh-token-response/10375',
    'https://devforum.zoom.us/t/how-to-properly-use-the-access-token/77706',
  ],
})
