import { defineProvider } from '../define.ts'

export const figma = defineProvider({
  id: 'figma',
  name: 'Figma',
  docs: 'https://developers.figma.com/docs/rest-api/authentication/',
  setup: [
    'Create an app at https://www.figma.com/developers/apps and add the redirect URL {redirect_uri}.',
    'Tick the scopes that you ask for, and copy the client id and the client secret into the integration.',
  ],
  scopes: { 'current_user:read': 'Name, mail address and picture of the account.' },
  authorize: { url: 'https://www.figma.com/oauth', scopeSeparator: ',', defaultScopes: ['current_user:read'] },
  token: {
    url: 'https://api.figma.com/v1/oauth/token',
    refreshUrl: 'https://api.figma.com/v1/oauth/refresh',
    clientAuth: 'basic',
    refresh: { omit: ['grant_type'] },
  },
  reuse: { evidence: 'Refresh answers carry no new refresh token.' },
  rotation: 'never',
  lifetimes: { accessSeconds: 7_776_000 },
  account: [
    { from: 'answer', path: 'user_id_string', label: null },
    { from: 'request', url: 'https://api.figma.com/v1/me', path: 'id', label: 'email', needsScope: ['current_user:read'] },
  ],
  api: { base: 'https://api.figma.com/v1' },
  check: { request: { url: 'https://api.figma.com/v1/me' }, where: { id: '*' }, needsScope: ['current_user:read'] },
  samples: {
    exchange: {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      token_type: 'bearer',
      expires_in: 7_776_000,
      user_id_string: '1234567',
    },
    refresh: { access_token: 'access-2', token_type: 'bearer', expires_in: 7_776_000 },
    check: { id: '1234567', email: 'jo@example.com', handle: 'jo' },
  },
  notes: [
    'Refreshes have an address of their own, take no grant_type, and answer without a refresh token.',
    'The account id is also given as a number, which can be too long to be read exactly: the text is taken.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['lifetimes.accessSeconds', 'reuse', 'authorize.defaultScopes', 'docs', 'account.0', 'setup', 'samples'],
  sources: ['github:figma/rest-api-spec openapi/openapi.yaml', 'github:NangoHQ/nango provider.client.ts refreshFigmaToken', 'github:better-auth figma.ts'],
})
