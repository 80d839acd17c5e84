import { defineProvider } from '../define.ts'

const realm = 'https://{host}/realms/{realm}/protocol/openid-connect'

export const keycloak = defineProvider({
  id: 'keycloak',
  name: 'Keycloak',
  docs: 'https://www.keycloak.org/docs/latest/server_admin/#_timeouts',
  setup: [
    'Create an OpenID Connect client in the realm, with Client authentication on, the Standard flow, and the Valid redirect URI {redirect_uri}.',
    'Copy the client id and, from the tab Credentials, the client secret into the integration.',
  ],
  scopes: { openid: 'An id_token that names the account.', offline_access: 'A refresh token that outlives the session of the browser.' },
  variables: {
    host: { label: 'Host of the server', pattern: '[A-Za-z0-9-]+(\\.[A-Za-z0-9-]+)*(:[0-9]{1,5})?', example: 'id.example.com' },
    realm: { label: 'Realm', pattern: '[A-Za-z0-9][A-Za-z0-9._-]{0,254}', example: 'main' },
  },
  authorize: { url: `${realm}/auth`, defaultScopes: ['openid', 'offline_access'], chooseAccount: { prompt: 'login' } },
  token: { url: `${realm}/token` },
  answer: { paths: { refreshExpiresIn: 'refresh_expires_in' } },
  verdicts: [
    {
      step: 'refresh',
      status: [400],
      where: { error: 'invalid_grant', error_description: '/^token is not active$/i' },
      verdict: 'expired',
      meaning: 'The refresh token has expired.',
    },
    {
      step: 'refresh',
      status: [400],
      where: { error: 'invalid_grant' },
      verdict: 'dead',
      meaning: 'The session ended, or rotation is on and the token was used before: then the whole session is gone.',
    },
  ],
  reuse: {
    class: 'P4',
    evidence: 'With "Revoke refresh token" on, a second use ends the session: four refreshes at a time gave one success and a dead session.',
  },
  rotation: 'optional',
  revoke: { url: `${realm}/revoke`, reach: 'grant' },
  account: [
    { from: 'id_token', claim: 'sub', label: 'preferred_username' },
    { from: 'request', url: `${realm}/userinfo`, path: 'sub', label: 'preferred_username', needsScope: ['openid'] },
  ],
  check: { request: { url: `${realm}/userinfo` }, where: { sub: '*' }, needsScope: ['openid'] },
  samples: {
    exchange: {
      access_token: 'access-1',
      expires_in: 300,
      refresh_expires_in: 1_800,
      refresh_token: 'refresh-1',
      token_type: 'Bearer',
      id_token: null,
      scope: 'openid offline_access',
    },
    refresh: {
      access_token: 'access-2',
      expires_in: 300,
      refresh_expires_in: 1_800,
      refresh_token: 'refresh-2',
      token_type: 'Bearer',
      id_token: null,
      scope: 'openid offline_access',
    },
    check: { sub: '7c18' },
  },
  notes: [
    "Rotation is a setting of the realm. Without it every answer carries a new refresh token and the old one stays valid: set the integration's reuse to P0 then.",
    'Access tokens live 5 minutes unless the realm says otherwise.',
    'Without offline_access a refresh token ends with the session of the browser; refresh_expires_in 0 means no end.',
    'Servers before version 17 have /auth before /realms: extend this record for them.',
  ],
  unverified: ['authorize.chooseAccount', 'lifetimes', 'token.clientAuth', 'notes', 'docs', 'revoke.reach', 'setup', 'samples'],
  sources: ['github:nextauthjs/next-auth@a1a16a5 packages/core/src/providers/keycloak.ts', 'github:keycloak/keycloak TokenManager'],
})
