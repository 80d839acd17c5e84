import { defineProvider } from '../define.ts'

export const atlassian = defineProvider({
  id: 'atlassian',
  name: 'Atlassian (Jira and Confluence Cloud)',
  docs: 'https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens',
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
  reuse: { class: 'P1', windowSeconds: 600, evidence: 'A reuse interval of 10 minutes is widely stated.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: 7_776_000, refreshAbsoluteSeconds: 31_536_000, absoluteFrom: 'issue' },
  account: [{ from: 'request', url: 'https://api.atlassian.com/me', path: 'account_id', label: 'email', needsScope: ['read:me'] }],
  api: { base: 'https://api.atlassian.com' },
  notes: [
    'No refresh token comes without the scope offline_access.',
    'Tokens work only through api.atlassian.com: /ex/jira/{cloud id}/... and /ex/confluence/{cloud id}/...; GET /oauth/token/accessible-resources lists the cloud ids, one grant may cover several.',
    'A dead grant answers with HTTP 403.',
    'The provider documents no revoke endpoint.',
    'Without the scope read:me the account cannot be named.',
  ],
  unverified: ['reuse', 'token.bodyFormat', 'authorize.pkce', 'authorize.defaultScopes', 'lifetimes.absoluteFrom'],
  sources: ['https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens'],
})
