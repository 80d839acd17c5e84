import { defineProvider } from '../define.ts'

export const fitbit = defineProvider({
  id: 'fitbit',
  name: 'Fitbit (legacy Web API)',
  docs: 'https://dev.fitbit.com/build/reference/web-api/authorization/refresh-token/',
  setup: [
    'Register an application at https://dev.fitbit.com/apps with the redirect URL {redirect_uri} and the type Server.',
    'Copy the OAuth 2.0 client id and the client secret into the integration; the type Personal has no secret.',
  ],
  scopes: { activity: 'Activities and exercises.', profile: 'The profile of the account.' },
  authorize: { url: 'https://www.fitbit.com/oauth2/authorize', defaultScopes: ['activity', 'profile'] },
  token: { url: 'https://api.fitbit.com/oauth2/token', clientAuth: 'basic' },
  verdicts: [
    { status: [400, 401], where: { 'errors.*.errorType': 'invalid_grant' }, verdict: 'dead', meaning: 'The refresh token is spent, expired or revoked.' },
    { where: { 'errors.*.errorType': 'invalid_client' }, verdict: 'config', meaning: 'The client id or secret is wrong.' },
  ],
  reuse: { class: 'P3', evidence: 'A refresh token works once.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 28_800 },
  revoke: { url: 'https://api.fitbit.com/oauth2/revoke', reach: 'grant', fallback: { token: 'access' } },
  account: [{ from: 'answer', path: 'user_id', label: null }],
  api: { base: 'https://api.fitbit.com' },
  check: { request: { url: 'https://api.fitbit.com/1/user/-/profile.json' }, needsScope: ['profile'] },
  limits: {
    api: [
      {
        name: 'hour',
        per: 'grant',
        limit: { header: 'Fitbit-Rate-Limit-Limit', at: 0 },
        remaining: { header: 'Fitbit-Rate-Limit-Remaining', at: 0 },
        reset: { header: 'Fitbit-Rate-Limit-Reset', format: 'seconds' },
        windowSeconds: 3_600,
      },
    ],
  },
  samples: {
    exchange: { access_token: 'access-1', expires_in: 28_800, refresh_token: 'refresh-1', scope: 'activity profile', token_type: 'Bearer', user_id: 'GGNJL9' },
    refresh: { access_token: 'access-2', expires_in: 28_800, refresh_token: 'refresh-2', scope: 'activity profile', token_type: 'Bearer', user_id: 'GGNJL9' },
  },
  sunsets: [
    {
      what: 'The legacy Web API and its OAuth endpoints are turned off; support ended on 2026-09-30.',
      on: '2026-11-02',
      instead: 'The Google Health API, with Google sign-in: people connect again.',
    },
  ],
  notes: [
    'The error stands in errors[].errorType, and its text repeats the refresh token: Evergrant redacts it before it is kept.',
    '150 calls an hour for each user.',
    'A lost refresh token can sometimes be had back at https://api.fitbit.com/oauth2/recover.',
  ],
  unverified: ['revoke', 'check', 'authorize.defaultScopes', 'limits', 'sunsets', 'setup', 'samples'],
  sources: [
    'https://dev.fitbit.com/build/reference/web-api/authorization/refresh-token/',
    'https://dev.fitbit.com/build/reference/web-api/oauth2-additions/',
    'https://developers.google.com/health/reference/rest/v4/projects.subscribers.subscriptions/delete',
    'github:the-momentum/open-wearables backend/app/services/providers/fitbit/oauth.py',
  ],
})
