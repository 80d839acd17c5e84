import { defineProvider } from '../define.ts'

export const xero = defineProvider({
  id: 'xero',
  name: 'Xero',
  docs: 'https://developer.xero.com/documentation/guides/oauth2/auth-flow',
  setup: [
    'Create an app of the type web app in the Xero developer portal.',
    'Enter {redirect_uri} as its redirect URI.',
    'Generate a secret, and copy client id and client secret into the integration.',
  ],
  scopes: { openid: 'Know who the user is', offline_access: 'Stay connected while the user is away' },
  issuer: 'https://identity.xero.com',
  authorize: {
    url: 'https://login.xero.com/identity/connect/authorize',
    defaultScopes: ['openid', 'offline_access'],
    requiredScopes: ['offline_access'],
  },
  token: { url: 'https://identity.xero.com/connect/token', clientAuth: 'basic' },
  verdicts: [
    { step: 'refresh', status: [400], where: { error: 'invalid_grant' }, verdict: 'dead', meaning: 'Spent longer than 30 minutes ago, or unused for 60 days.' },
  ],
  reuse: { evidence: "A spent refresh token can be presented again for 30 minutes, says Xero's FAQ." },
  rotation: 'always',
  lifetimes: { accessSeconds: 1_800, refreshIdleSeconds: 5_184_000 },
  revoke: { url: 'https://identity.xero.com/connect/revocation', reach: 'grant' },
  account: [
    { from: 'id_token', claim: 'xero_userid', label: 'email' },
    { from: 'access_token', claim: 'xero_userid', label: null },
  ],
  api: {
    base: 'https://api.xero.com',
    required: [{ header: 'Xero-Tenant-Id', except: ['/connections'], meaning: 'The id of an organisation, from GET /connections.' }],
  },
  check: { request: { url: 'https://api.xero.com/connections' } },
  samples: {
    exchange: {
      id_token: 'eyJhbGciOiJSUzI1NiJ9.eyJ4ZXJvX3VzZXJpZCI6IngtMSIsImVtYWlsIjoiam9AZXhhbXBsZS5jb20ifQ.c2ln',
      access_token: 'eyJhbGciOiJSUzI1NiJ9.eyJ4ZXJvX3VzZXJpZCI6IngtMSJ9.c2ln',
      expires_in: 1_800,
      token_type: 'Bearer',
      refresh_token: 'rt-1',
      scope: 'openid offline_access',
    },
    refresh: {
      id_token: null,
      access_token: 'eyJhbGciOiJSUzI1NiJ9.eyJ4ZXJvX3VzZXJpZCI6IngtMSJ9.c2ln',
      expires_in: 1_800,
      token_type: 'Bearer',
      refresh_token: 'rt-2',
      scope: 'openid offline_access',
    },
  },
  notes: [
    'Calls need the header Xero-Tenant-Id; one token covers several tenants, listed by GET /connections.',
    'Errors carry no description.',
    'A refresh token used from two environments ends one of them.',
  ],
  unverified: ['setup', 'docs', 'reuse', 'authorize.pkce', 'issuer', 'revoke.reach', 'account.0'],
  sources: ['https://developer.xero.com/documentation/guides/oauth2/auth-flow', 'https://github.com/XeroAPI/xero-node'],
})
