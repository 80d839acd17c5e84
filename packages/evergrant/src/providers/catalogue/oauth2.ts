import { defineProvider } from '../define.ts'

export const oauth2 = defineProvider({
  id: 'oauth2',
  name: 'OAuth 2.0 (RFC 8414 metadata)',
  docs: 'https://www.rfc-editor.org/rfc/rfc8414',
  setup: [
    'Register a confidential client at the server, for the authorization code grant, with the redirect URI {redirect_uri}.',
    'Copy the client id and the client secret into the integration, and fill in the issuer of the metadata document (RFC 8414).',
    "Find out what the server does with a refresh token that comes twice, and set the integration's reuse; until then Evergrant is as careful as it can be.",
  ],
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
  check: { request: { url: '{userinfo}' }, where: { sub: '*' }, needsScope: ['openid'] },
  samples: {
    exchange: { access_token: 'access-1', token_type: 'Bearer', expires_in: null, refresh_token: null },
    refresh: { access_token: 'access-2', token_type: 'Bearer', expires_in: null, refresh_token: null },
    check: { sub: '248289761001' },
  },
  notes: ['PKCE and client authentication follow the metadata document.'],
  sources: ['RFC 6749', 'RFC 8414'],
})
