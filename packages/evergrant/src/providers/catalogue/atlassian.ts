import { defineProvider } from '../define.ts'

export const atlassian = defineProvider({
  id: 'atlassian',
  name: 'Atlassian (Jira and Confluence Cloud)',
  docs: 'https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens',
  setup: [
    'Create an OAuth 2.0 (3LO) app in the Atlassian developer console.',
    'Under Authorization enter {redirect_uri} as its callback URL; under Permissions add the APIs and scopes it needs.',
    'Copy client id and secret into the integration.',
  ],
  scopes: { offline_access: 'Stay connected while the user is away', 'read:me': 'Read the profile of the user' },
  authorize: {
    url: 'https://auth.atlassian.com/authorize',
    parameters: { audience: 'api.atlassian.com', prompt: 'consent' },
    defaultScopes: ['offline_access', 'read:me'],
    requiredScopes: ['offline_access'],
  },
  token: { url: 'https://auth.atlassian.com/oauth/token', bodyFormat: 'json' },
  verdicts: [
    {
      step: 'refresh',
      status: [400, 403],
      where: { error: 'invalid_grant' },
      verdict: 'dead',
      meaning: 'Unknown or invalid refresh token: here with HTTP 403.',
    },
    {
      step: 'refresh',
      status: [403],
      where: { error: 'unauthorized_client', error_description: '/refresh_token is invalid/i' },
      verdict: 'dead',
      meaning: 'The older shape of the same.',
    },
  ],
  reuse: { evidence: 'A reuse interval of 10 minutes is widely stated.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: 7_776_000, refreshAbsoluteSeconds: 31_536_000, absoluteFrom: 'issue' },
  account: [{ from: 'request', url: 'https://api.atlassian.com/me', path: 'account_id', label: 'email', needsScope: ['read:me'] }],
  api: { base: 'https://api.atlassian.com' },
  afterConnect: [
    {
      finds: 'the site',
      request: { url: 'https://api.atlassian.com/oauth/token/accessible-resources' },
      facts: { cloud_id: '0.id', site_url: '0.url' },
      needed: false,
    },
  ],
  check: { request: { url: 'https://api.atlassian.com/oauth/token/accessible-resources' } },
  samples: {
    exchange: { access_token: 'at-1', refresh_token: 'rt-1', expires_in: 3_600, scope: 'offline_access read:me', token_type: 'Bearer' },
    refresh: { access_token: 'at-2', refresh_token: 'rt-2', expires_in: 3_600, scope: 'offline_access read:me', token_type: 'Bearer' },
  },
  notes: [
    'No refresh token comes without the scope offline_access.',
    'Tokens work only through api.atlassian.com: /ex/jira/{cloud id}/... and /ex/confluence/{cloud id}/...; GET /oauth/token/accessible-resources lists the cloud ids, one grant may cover several, and the fact cloud_id keeps the first.',
    'A dead grant answers with HTTP 403.',
    'The provider documents no revoke endpoint; the one that much code uses is left alone.',
    'Without the scope read:me the account cannot be named.',
  ],
  unverified: ['setup', 'reuse', 'token.bodyFormat', 'authorize.pkce', 'authorize.defaultScopes', 'lifetimes.absoluteFrom'],
  sources: ['https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens'],
})
