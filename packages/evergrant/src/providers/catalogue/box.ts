import { defineProvider } from '../define.ts'

export const box = defineProvider({
  id: 'box',
  name: 'Box',
  docs: 'https://developer.box.com/guides/authentication/tokens/refresh/',
  setup: [
    'Create a custom app with user authentication (OAuth 2.0) in the Box developer console.',
    'Add {redirect_uri} to its redirect URIs and choose its application scopes.',
    'Copy client id and client secret into the integration.',
  ],
  authorize: { url: 'https://account.box.com/api/oauth2/authorize', pkce: 'unsupported' },
  token: { url: 'https://api.box.com/oauth2/token' },
  reuse: { class: 'P3', evidence: 'A refresh token is good for one use.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: 5_184_000 },
  revoke: { url: 'https://api.box.com/oauth2/revoke', fallback: { token: 'access' } },
  account: [{ from: 'request', url: 'https://api.box.com/2.0/users/me', path: 'id', label: 'login' }],
  api: { base: 'https://api.box.com/2.0', hosts: ['upload.box.com'] },
  check: { request: { url: 'https://api.box.com/2.0/users/me' } },
  samples: {
    exchange: { access_token: 'at-1', expires_in: 3_600, restricted_to: null, refresh_token: 'rt-1', token_type: 'bearer' },
    refresh: { access_token: 'at-2', expires_in: 3_600, restricted_to: null, refresh_token: 'rt-2', token_type: 'bearer' },
    check: { type: 'user', id: '11446498', login: 'jo@example.com' },
  },
  notes: [
    'A refresh token ends after one use or 60 days.',
    'Scopes are set in the app; the authorization URL may narrow them.',
    'For JWT grants, which this record does not use, invalid_grant can also mean a wrong clock.',
  ],
  unverified: ['setup', 'verdicts', 'authorize.pkce', 'revoke', 'api.hosts'],
  sources: ['https://developer.box.com/guides/authentication/tokens/refresh/', 'https://github.com/box/developer.box.com'],
})
