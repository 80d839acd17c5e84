import { defineProvider } from '../define.ts'

export const microsoft = defineProvider({
  id: 'microsoft',
  name: 'Microsoft Entra ID',
  docs: 'https://learn.microsoft.com/entra/identity-platform/refresh-tokens',
  variables: {
    tenant: {
      label: 'Tenant: common, organizations, consumers, or its id or domain',
      pattern: '[A-Za-z0-9][A-Za-z0-9.-]{0,127}',
      example: 'common',
      default: 'common',
    },
  },
  authorize: {
    url: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize',
    parameters: { response_mode: 'query' },
    chooseAccount: { prompt: 'select_account' },
    defaultScopes: ['openid', 'profile', 'offline_access', 'User.Read'],
    requiredScopes: ['offline_access', 'openid', 'profile'],
  },
  token: { url: 'https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token', scopesOnRefresh: true },
  verdicts: [
    { where: { error_codes: 50196 }, verdict: 'throttled', meaning: 'LoopDetected: too many refreshes in a short time.' },
    { where: { error_codes: '/^70002(15|22)$/' }, verdict: 'config', meaning: 'The client secret is wrong or has expired.' },
    { where: { error_codes: '/^(90094|90095)$/' }, verdict: 'admin_approval', meaning: 'An administrator must consent.' },
    { where: { error_codes: '/^(700082|70008|700084)$/' }, verdict: 'expired', meaning: 'The refresh token, or the code, has expired.' },
    {
      step: 'refresh',
      where: { error: '/^(interaction_required|login_required|consent_required)$/' },
      verdict: 'dead',
      meaning: 'A sign-in by the user is needed: multi-factor or conditional access.',
    },
    { step: 'refresh', status: [400], where: { error: 'invalid_grant' }, verdict: 'dead', meaning: 'The grant was revoked: password change or administrator.' },
  ],
  reuse: { class: 'P0', evidence: 'Every use answers with a new refresh token; the old one is not revoked by it.' },
  rotation: 'always',
  lifetimes: { refreshIdleSeconds: 7_776_000 },
  account: [{ from: 'id_token', claim: 'tid + oid', label: 'preferred_username' }],
  api: { base: 'https://graph.microsoft.com/v1.0', hosts: [] },
  notes: [
    'One access token serves one resource: every scope of an integration must belong to the same one.',
    'The numbers in error_codes are stable, the description is not.',
    'There is no revocation endpoint.',
    'Client secrets expire and then stop every connection at once.',
    'The lifetime of an access token differs from token to token; the answer says it.',
    'Refresh tokens sent to redirect URIs of type "spa" live 24 hours.',
  ],
  unverified: ['verdicts.2', 'lifetimes.accessSeconds'],
  sources: ['https://learn.microsoft.com/entra/identity-platform/refresh-tokens'],
})
