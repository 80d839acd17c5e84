import { defineProvider } from '../define.ts'

export const oauth2 = defineProvider({
  id: 'oauth2',
  name: 'OAuth 2.0 (RFC 8414 metadata)',
  docs: 'https://www.rfc-editor.org/rfc/rfc8414',
  variables: {
    issuer: { label: 'Issuer URL', pattern: 'https?://[^?#@\\s]+', example: 'https://auth.example.com' },
  },
  discovery: { kind: 'rfc8414', issuer: '{issuer}' },
  token: { clientAuth: 'basic' },
  reuse: { class: 'PU', evidence: "Differs by server; set the integration's reuse when you know yours." },
  rotation: 'optional',
  revoke: { fallback: { token: 'access' } },
  account: [
    { from: 'id_token', claim: 'sub', label: 'email' },
    { from: 'request', method: 'GET', url: '{userinfo}', path: 'sub', label: 'email', needsScope: ['openid'] },
  ],
  notes: ['PKCE and client authentication follow the metadata document.'],
  sources: ['RFC 6749', 'RFC 8414'],
})
