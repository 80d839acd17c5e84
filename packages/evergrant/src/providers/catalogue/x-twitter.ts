import { defineProvider } from '../define.ts'

export const xTwitter = defineProvider({
  id: 'x-twitter',
  name: 'X (Twitter)',
  docs: 'https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code',
  setup: [
    'In the X developer console set up user authentication of your app as a confidential client (web app).',
    'Enter {redirect_uri} as its callback URI.',
    'Copy the OAuth 2.0 client id and client secret into the integration. A public client goes without a secret.',
  ],
  scopes: { 'tweet.read': 'Read posts', 'users.read': 'Read profiles', 'offline.access': 'Stay connected while the user is away' },
  authorize: {
    url: 'https://x.com/i/oauth2/authorize',
    defaultScopes: ['tweet.read', 'users.read', 'offline.access'],
    requiredScopes: ['offline.access'],
    pkce: 'required',
  },
  token: { url: 'https://api.x.com/2/oauth2/token', clientAuth: 'basic' },
  verdicts: [
    {
      step: 'refresh',
      status: [400],
      where: { error: 'invalid_request', error_description: '/value passed for the token was invalid/i' },
      verdict: 'dead',
      meaning: 'The refresh token was used before, or revoked.',
    },
    {
      step: 'exchange',
      status: [400],
      where: { error: 'invalid_request', error_description: '/authorization code/i' },
      verdict: 'restart_flow',
      meaning: 'The code is spent or expired.',
    },
  ],
  reuse: { class: 'P3', evidence: 'A refresh token is good for one use.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 7_200 },
  revoke: { url: 'https://api.x.com/2/oauth2/revoke', fallback: { token: 'access' } },
  account: [{ from: 'request', url: 'https://api.x.com/2/users/me', path: 'data.id', label: 'data.username', needsScope: ['users.read'] }],
  api: { base: 'https://api.x.com/2' },
  check: { request: { url: 'https://api.x.com/2/users/me' }, needsScope: ['users.read'] },
  samples: {
    exchange: { token_type: 'bearer', expires_in: 7_200, access_token: 'at-1', scope: 'tweet.read users.read offline.access', refresh_token: 'rt-1' },
    refresh: { token_type: 'bearer', expires_in: 7_200, access_token: 'at-2', scope: 'tweet.read users.read offline.access', refresh_token: 'rt-2' },
    check: { data: { id: '2244994945', name: 'Jo', username: 'jo' } },
  },
  notes: [
    'A dead grant says invalid_request, not invalid_grant.',
    'No refresh token comes without the scope offline.access.',
    'A refresh token is used once: an answer that is lost ends the connection.',
    'Rate limits are counted for each endpoint apart, in x-rate-limit-limit, -remaining and -reset.',
  ],
  unverified: ['setup', 'verdicts.1', 'limits'],
  sources: ['https://github.com/xdevplatform/docs/tree/main/fundamentals/authentication/oauth-2-0'],
})
