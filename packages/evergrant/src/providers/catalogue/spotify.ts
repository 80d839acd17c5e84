import { defineProvider } from '../define.ts'

export const spotify = defineProvider({
  id: 'spotify',
  name: 'Spotify',
  docs: 'https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens',
  setup: [
    'Create an app at https://developer.spotify.com/dashboard with the redirect URI {redirect_uri}.',
    'Copy the client id and the client secret into the integration.',
  ],
  scopes: { 'user-read-email': 'The mail address of the account.' },
  authorize: { url: 'https://accounts.spotify.com/authorize', defaultScopes: ['user-read-email'] },
  token: { url: 'https://accounts.spotify.com/api/token', clientAuth: 'basic' },
  reuse: { evidence: 'Clients with PKCE get a new refresh token; what the old one does then is not documented.' },
  rotation: 'sometimes',
  lifetimes: { accessSeconds: 3_600, refreshAbsoluteSeconds: 15_552_000, absoluteFrom: 'consent' },
  account: [{ from: 'request', url: 'https://api.spotify.com/v1/me', path: 'id', label: 'display_name' }],
  api: { base: 'https://api.spotify.com/v1' },
  check: { request: { url: 'https://api.spotify.com/v1/me' } },
  samples: {
    exchange: { access_token: 'access-1', token_type: 'Bearer', scope: 'user-read-email', expires_in: 3_600, refresh_token: 'refresh-1' },
    refresh: { access_token: 'access-2', token_type: 'Bearer', scope: 'user-read-email', expires_in: 3_600, refresh_token: null },
    check: { id: 'smedjan' },
  },
  notes: [
    'A grant ends six months after the consent; no refresh extends it, and no field of an answer tells it. Evergrant counts from the consent and warns before.',
    'A refresh may leave the refresh token out: the old one stays.',
    'Quotas count in a rolling window of 30 seconds; Retry-After tells how long to wait.',
    'There is no revoke endpoint.',
  ],
  unverified: ['verdicts', 'limits', 'setup', 'samples'],
  sources: [
    'https://developer.spotify.com/documentation/web-api/tutorials/refreshing-tokens',
    'github:nextauthjs/next-auth@a1a16a5 packages/core/src/providers/spotify.ts',
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#spotify',
  ],
})
