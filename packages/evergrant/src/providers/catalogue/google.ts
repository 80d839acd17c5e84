import { defineProvider } from '../define.ts'

export const google = defineProvider({
  id: 'google',
  name: 'Google',
  docs: 'https://developers.google.com/identity/protocols/oauth2',
  issuer: 'https://accounts.google.com',
  authorize: {
    url: 'https://accounts.google.com/o/oauth2/v2/auth',
    parameters: { access_type: 'offline', prompt: 'consent' },
    chooseAccount: { prompt: 'select_account consent' },
    defaultScopes: ['openid', 'email'],
    requiredScopes: ['openid'],
  },
  token: { url: 'https://oauth2.googleapis.com/token' },
  verdicts: [
    { step: 'refresh', where: { error_subtype: 'invalid_rapt' }, verdict: 'dead', meaning: 'The Workspace asks its users to sign in again.' },
    { step: 'refresh', status: [400], where: { error: 'invalid_grant' }, verdict: 'dead', meaning: 'The refresh token has expired or was revoked.' },
  ],
  reuse: { class: 'P0', evidence: 'Refresh answers carry no new refresh token.' },
  rotation: 'never',
  lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: 15_552_000 },
  revoke: { url: 'https://oauth2.googleapis.com/revoke', clientAuth: 'none', reach: 'grant', fallback: { token: 'access' } },
  account: [
    { from: 'id_token', claim: 'sub', label: 'email' },
    { from: 'request', url: 'https://openidconnect.googleapis.com/v1/userinfo', path: 'sub', label: 'email' },
  ],
  api: { base: 'https://www.googleapis.com', hosts: ['*.googleapis.com'] },
  notes: [
    'A refresh token comes only with access_type=offline and, after the first consent, prompt=consent.',
    'While the consent screen is External and in Testing, grants end after 7 days.',
    'At most 100 live refresh tokens per account and client: the next one silently ends the oldest.',
    'People can grant a part of the scopes: compare the granted ones.',
  ],
  unverified: ['revoke', 'account'],
  sources: ['https://developers.google.com/identity/protocols/oauth2', 'https://developers.google.com/google-ads/api/docs/get-started/common-errors'],
})
