import { defineProvider } from '../define.ts'

export const wahoo = defineProvider({
  id: 'wahoo',
  name: 'Wahoo Cloud API',
  docs: 'https://cloud-api.wahooligan.com',
  setup: [
    'Ask for access and create an app at https://developers.wahooligan.com with the callback URL {redirect_uri}.',
    'Copy the client id and the client secret into the integration.',
  ],
  scopes: { user_read: 'The profile of the account.', offline_data: 'Refreshes while the user is away.' },
  authorize: {
    url: 'https://api.wahooligan.com/oauth/authorize',
    defaultScopes: ['user_read', 'offline_data'],
    requiredScopes: ['offline_data'],
  },
  token: { url: 'https://api.wahooligan.com/oauth/token' },
  verdicts: [
    {
      where: { error: '/^too many unrevoked access tokens/i' },
      verdict: 'unknown',
      meaning: 'The user has too many live tokens at this app; revoking them all, by disconnecting, and connecting again helps.',
    },
  ],
  reuse: { evidence: 'What an old refresh token does is not documented.' },
  rotation: 'always',
  revoke: {
    url: 'https://api.wahooligan.com/v1/permissions',
    method: 'DELETE',
    clientAuth: 'bearer',
    format: 'query',
    token: 'access',
    parameter: null,
    reach: 'grant',
  },
  account: [{ from: 'request', url: 'https://api.wahooligan.com/v1/user', path: 'id', label: 'email', needsScope: ['user_read'] }],
  api: { base: 'https://api.wahooligan.com' },
  check: { request: { url: 'https://api.wahooligan.com/v1/user' }, needsScope: ['user_read'] },
  samples: {
    exchange: { access_token: 'access-1', token_type: 'Bearer', expires_in: 7_200, refresh_token: 'refresh-1', scope: 'user_read offline_data' },
    refresh: { access_token: 'access-2', token_type: 'Bearer', expires_in: 7_200, refresh_token: 'refresh-2', scope: 'user_read offline_data' },
    check: { id: 60_462 },
  },
  notes: [
    'Access tokens that nobody revokes add up, and at a cap of unknown size every new token is refused, at a refresh, too: disconnect with revocation.',
    'Refreshes in the background need the scope offline_data.',
  ],
  unverified: ['account', 'rotation', 'authorize.defaultScopes', 'authorize.pkce', 'docs', 'setup', 'samples'],
  sources: ['https://cloud-api.wahooligan.com'],
})
