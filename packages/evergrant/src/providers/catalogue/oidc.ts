import { defineProvider } from '../define.ts'

export const oidc = defineProvider({
  id: 'oidc',
  name: 'OpenID Connect',
  docs: 'https://openid.net/specs/openid-connect-discovery-1_0.html',
  variables: {
    issuer: { label: 'Issuer URL', pattern: 'https?://[^?#@\\s]+', example: 'https://id.example.com' },
  },
  discovery: { kind: 'oidc', issuer: '{issuer}' },
  authorize: { defaultScopes: ['openid', 'offline_access'], parameters: { prompt: 'consent' } },
  token: { clientAuth: 'basic' },
  reuse: { class: 'PU', evidence: "Differs by server; set the integration's reuse when you know yours." },
  rotation: 'optional',
  revoke: { fallback: { token: 'access' } },
  account: [
    { from: 'id_token', claim: 'sub', label: 'email' },
    { from: 'request', method: 'GET', url: '{userinfo}', path: 'sub', label: 'email', needsScope: [] },
  ],
  notes: [
    'PKCE and client authentication follow the discovery document; client_secret_basic is the default of the specification.',
    'Without the scope offline_access most servers issue no refresh token; with it they ask for prompt=consent.',
  ],
  sources: ['RFC 6749', 'OpenID Connect Discovery 1.0', 'OpenID Connect Core 1.0 section 11'],
})
