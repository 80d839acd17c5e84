import type { ProviderDraft } from './define.ts'

/** One authorization server for every Google API. */
export const GOOGLE = {
  issuer: 'https://accounts.google.com',
  token: { url: 'https://oauth2.googleapis.com/token' },
  verdicts: [
    { step: 'refresh', where: { error_subtype: 'invalid_rapt' }, verdict: 'dead', meaning: 'The Workspace asks its users to sign in again.' },
    { step: 'refresh', status: [400], where: { error: 'invalid_grant' }, verdict: 'dead', meaning: 'The refresh token has expired or was revoked.' },
  ],
  reuse: { class: 'P0', evidence: 'Refresh answers carry no new refresh token.' },
  rotation: 'never',
  lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: 15_552_000, cap: { grants: 100, next: 'oldest_ends' } },
  revoke: { url: 'https://oauth2.googleapis.com/revoke', clientAuth: 'none', reach: 'grant', fallback: { token: 'access' } },
  account: [
    { from: 'id_token', claim: 'sub', label: 'email' },
    { from: 'request', url: 'https://openidconnect.googleapis.com/v1/userinfo', path: 'sub', label: 'email', needsScope: ['openid'] },
  ],
} as const satisfies Partial<ProviderDraft>

/** Where the parameters come from without which no refresh token is issued. */
export const GOOGLE_AUTHORIZE = {
  url: 'https://accounts.google.com/o/oauth2/v2/auth',
  parameters: { access_type: 'offline', prompt: 'consent' },
  chooseAccount: { prompt: 'select_account consent' },
  requiredScopes: ['openid'],
} as const satisfies ProviderDraft['authorize']

export const GOOGLE_NOTES = [
  'A refresh token comes only with access_type=offline and, after the first consent, prompt=consent.',
  'While the consent screen is External and in Testing, grants end after 7 days.',
  'At most 100 live refresh tokens per account and client: the next one silently ends the oldest.',
  'People can grant a part of the scopes: compare the granted ones.',
] as const

export const GOOGLE_SETUP = [
  'Create a project in the Google Cloud console and switch on the APIs it needs.',
  'Set up the consent screen. While it is External and in Testing, grants end after 7 days: publish it.',
  'Create an OAuth client of the type web application and add {redirect_uri} to its authorized redirect URIs.',
  'Copy client id and client secret into the integration.',
] as const
