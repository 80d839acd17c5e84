import { defineProvider } from '../define.ts'
import { GITHUB_VERDICTS } from '../github-verdicts.ts'

export const github = defineProvider({
  id: 'github',
  name: 'GitHub (OAuth app)',
  docs: 'https://docs.github.com/apps/oauth-apps',
  setup: [
    'Register an OAuth app in the developer settings of a GitHub account or organization.',
    'Enter {redirect_uri} as its authorization callback URL.',
    'Generate a client secret, and copy client id and client secret into the integration.',
  ],
  scopes: { 'read:user': 'Read the profile of the user' },
  authorize: { url: 'https://github.com/login/oauth/authorize', defaultScopes: ['read:user'] },
  token: { url: 'https://github.com/login/oauth/access_token' },
  answer: { scopeSeparator: ',', formEncoded: true, paths: { idToken: null } },
  verdicts: GITHUB_VERDICTS,
  reuse: { class: 'P0', evidence: 'No refresh token is issued.' },
  rotation: 'never',
  lifetimes: { issuesRefreshToken: false },
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
  samples: { exchange: { access_token: 'gho_at-1', scope: 'repo,gist', token_type: 'bearer' }, check: { id: 583_231, login: 'octo' } },
  notes: [
    'Tokens of OAuth apps do not expire, and there is no refresh token.',
    'Errors of the token endpoint come with HTTP 200, and the answer is form-encoded unless JSON is asked for.',
    'Scopes are asked for with spaces between them and answered with commas.',
  ],
  unverified: ['setup', 'limits', 'verdicts', 'api.answers', 'authorize.pkce', 'lifetimes.issuesRefreshToken', 'authorize.scopeSeparator'],
  sources: ['https://docs.github.com/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps'],
})
