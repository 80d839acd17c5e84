import { defineProvider } from '../define.ts'
import { GITHUB_VERDICTS } from '../github-verdicts.ts'

export const githubApp = defineProvider({
  id: 'github-app',
  name: 'GitHub (GitHub App, user tokens)',
  docs: 'https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens',
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
  notes: [
    'Errors of the token endpoint come with HTTP 200.',
    'A refresh ends the old refresh token and the old access token at once: callers in flight get one 401.',
    'Expiring tokens are an option of the app; without it there is no refresh token.',
    'There are no scopes: permissions come from the installation of the app.',
  ],
  unverified: ['authorize.pkce', 'lifetimes.refreshAbsoluteSeconds'],
  sources: ['https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens'],
})
