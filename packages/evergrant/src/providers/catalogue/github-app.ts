import { defineProvider } from '../define.ts'
import { GITHUB_VERDICTS } from '../github-verdicts.ts'

export const githubApp = defineProvider({
  id: 'github-app',
  name: 'GitHub (GitHub App, user tokens)',
  docs: 'https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens',
  setup: [
    'Register a GitHub App in the developer settings of a GitHub account or organization, with the permissions it needs.',
    'Enter {redirect_uri} as its callback URL and leave the expiry of user authorization tokens on.',
    'To hear of people who revoke the app, set its webhook URL to the push address of the integration and its webhook secret to the push secret.',
    'Generate a client secret, and copy client id and client secret into the integration.',
  ],
  authorize: { url: 'https://github.com/login/oauth/authorize', scopeParameter: null },
  token: { url: 'https://github.com/login/oauth/access_token' },
  answer: { scopeSeparator: ',', formEncoded: true, paths: { idToken: null } },
  verdicts: GITHUB_VERDICTS,
  reuse: { class: 'P3', evidence: 'A used refresh token no longer works; whether the family dies is not documented.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 28_800, refreshAbsoluteSeconds: 15_897_600, absoluteFrom: 'issue', refreshEndsAccessToken: true },
  revoke: {
    url: 'https://api.github.com/applications/{client_id}/token',
    method: 'DELETE',
    clientAuth: 'basic',
    format: 'json',
    token: 'access',
    parameter: 'access_token',
  },
  account: [{ from: 'request', url: 'https://api.github.com/user', path: 'id', label: 'login' }],
  api: {
    base: 'https://api.github.com',
    hosts: ['uploads.github.com'],
    answers: [{ status: [403, 429], where: { message: '/rate limit/i' }, means: 'throttled' }],
  },
  check: { request: { url: 'https://api.github.com/user' } },
  limits: {
    api: [
      {
        name: 'hour',
        per: 'grant',
        limit: { header: 'x-ratelimit-limit', at: 0 },
        remaining: { header: 'x-ratelimit-remaining', at: 0 },
        reset: { header: 'x-ratelimit-reset', format: 'epoch_seconds' },
        bucket: 'x-ratelimit-resource',
      },
    ],
  },
  push: {
    proof: { kind: 'hmac_sha256', header: 'x-hub-signature-256', format: 'sha256={signature}', secret: 'push_secret' },
    rules: [{ headers: { 'x-github-event': 'github_app_authorization' }, where: { action: 'revoked' }, means: 'revoked', account: 'sender.id' }],
  },
  samples: {
    exchange: {
      access_token: 'ghu_at-1',
      expires_in: 28_800,
      refresh_token: 'ghr_rt-1',
      refresh_token_expires_in: 15_897_600,
      scope: '',
      token_type: 'bearer',
    },
    refresh: {
      access_token: 'ghu_at-2',
      expires_in: 28_800,
      refresh_token: 'ghr_rt-2',
      refresh_token_expires_in: 15_897_600,
      scope: '',
      token_type: 'bearer',
    },
    check: { id: 583_231, login: 'octo' },
  },
  notes: [
    'Errors of the token endpoint come with HTTP 200.',
    'A refresh ends the old refresh token and the old access token at once: callers in flight get one 401.',
    'Expiring tokens are an option of the app; without it there is no refresh token.',
    'There are no scopes: permissions come from the installation of the app.',
  ],
  unverified: ['setup', 'limits', 'push', 'authorize.pkce', 'lifetimes.refreshAbsoluteSeconds'],
  sources: ['https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens'],
})
