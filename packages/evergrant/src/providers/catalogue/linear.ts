import { defineProvider } from '../define.ts'

export const linear = defineProvider({
  id: 'linear',
  name: 'Linear',
  docs: 'https://linear.app/developers/oauth-2-0-authentication',
  setup: [
    'Create an OAuth application in the API settings of a Linear workspace that you administer.',
    'Enter {redirect_uri} as its callback URL.',
    'Copy client id and client secret into the integration. To act as the app instead of the user, add actor=app to the authorize parameters.',
  ],
  scopes: { read: 'Read what the user can read' },
  authorize: {
    url: 'https://linear.app/oauth/authorize',
    parameters: { prompt: 'consent' },
    scopeSeparator: ',',
    defaultScopes: ['read'],
    pkce: 'unsupported',
  },
  token: { url: 'https://api.linear.app/oauth/token' },
  reuse: { class: 'PU', evidence: 'Every refresh answers with a new refresh token; what the old one still does is not documented.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 86_400 },
  revoke: { url: 'https://api.linear.app/oauth/revoke', clientAuth: 'bearer', token: 'access', parameter: null },
  account: [
    {
      from: 'request',
      method: 'POST',
      url: 'https://api.linear.app/graphql',
      body: '{"query":"{ viewer { id name } organization { id } }"}',
      path: 'data.viewer.id',
      label: 'data.viewer.name',
    },
  ],
  api: {
    base: 'https://api.linear.app/graphql',
    answers: [
      { status: [200, 400], where: { 'errors.*.extensions.code': 'RATELIMITED' }, means: 'throttled' },
      { status: [200, 400], where: { 'errors.*.extensions.code': 'AUTHENTICATION_ERROR' }, means: 'token_rejected' },
    ],
  },
  check: {
    request: { method: 'POST', url: 'https://api.linear.app/graphql', parameters: { query: '{ viewer { id } }' }, format: 'json' },
    where: { 'data.viewer.id': '*' },
  },
  samples: {
    exchange: { access_token: 'at-1', token_type: 'Bearer', expires_in: 86_399, scope: 'read', refresh_token: 'rt-1' },
    refresh: { access_token: 'at-2', token_type: 'Bearer', expires_in: 86_399, scope: 'read', refresh_token: 'rt-2' },
    check: { data: { viewer: { id: 'u-1' } } },
  },
  notes: [
    'Since 2026-04-01 access tokens live 24 hours; before, they lived 10 years and had no refresh token. Old ones are exchanged at /oauth/migrate_old_token.',
    'A whole API behind one address: errors come in the body, throttling as the code RATELIMITED.',
    'Tokens of the client credentials grant last 30 days.',
  ],
  unverified: ['setup', 'authorize.pkce', 'account', 'check', 'revoke.clientAuth', 'revoke.token', 'api.answers'],
  sources: [
    'https://linear.app/developers/oauth-2-0-authentication',
    'https://github.com/ParabolInc/parabol/issues/12003',
    'https://github.com/linear/linear/issues/251',
    'https://github.com/chatwoot/chatwoot/pull/13721',
  ],
})
