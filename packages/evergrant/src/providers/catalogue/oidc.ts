import { defineProvider } from '../define.ts'

export const oidc = defineProvider({
  id: 'oidc',
  name: 'OpenID Connect',
  docs: 'https://openid.net/specs/openid-connect-discovery-1_0.html',
  setup: [
    'Register a client for the web at the server, for the authorization code flow, with the redirect URI {redirect_uri}.',
    'Copy the client id and the client secret into the integration, and fill in the issuer: the URL below which /.well-known/openid-configuration stands.',
    "Find out what the server does with a refresh token that comes twice, and set the integration's reuse; until then Evergrant is as careful as it can be.",
  ],
  scopes: { openid: 'An id_token that names the account.', offline_access: 'A refresh token.' },
  variables: {
    issuer: { label: 'Issuer URL', pattern: 'https?://[^?#@\\s]+', example: 'https://id.example.com' },
  },
  discovery: { kind: 'oidc', issuer: '{issuer}' },
  authorize: { defaultScopes: ['openid', 'offline_access'], parameters: { prompt: 'consent' }, chooseAccount: { prompt: 'login consent' } },
  token: { clientAuth: 'basic' },
  reuse: { class: 'PU', evidence: "Differs by server; set the integration's reuse when you know yours." },
  rotation: 'optional',
  revoke: { fallback: { token: 'access' } },
  account: [
    { from: 'id_token', claim: 'sub', label: 'email' },
    { from: 'request', method: 'GET', url: '{userinfo}', path: 'sub', label: 'email', needsScope: [] },
  ],
  check: { request: { url: '{userinfo}' }, where: { sub: '*' }, needsScope: ['openid'] },
  samples: {
    exchange: {
      access_token: 'access-1',
      token_type: 'Bearer',
      refresh_token: null,
      expires_in: null,
      id_token: null,
    },
    refresh: { access_token: 'access-2', token_type: 'Bearer', refresh_token: null, expires_in: null },
    check: { sub: '248289761001' },
  },
  notes: [
    'PKCE and client authentication follow the discovery document; client_secret_basic is the default of the specification.',
    'Without the scope offline_access most servers issue no refresh token; with it they ask for prompt=consent.',
  ],
  sources: ['RFC 6749', 'OpenID Connect Discovery 1.0', 'OpenID Connect Core 1.0 section 11'],
})
