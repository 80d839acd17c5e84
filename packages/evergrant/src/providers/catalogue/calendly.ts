import { defineProvider } from '../define.ts'

export const calendly = defineProvider({
  id: 'calendly',
  name: 'Calendly',
  docs: 'https://developer.calendly.com/how-to-access-calendly-data-on-behalf-of-authenticated-users',
  setup: [
    'Create an OAuth application at https://developer.calendly.com/console/apps with the redirect URI {redirect_uri}; sandbox and production are separate applications.',
    'Copy the client id and the client secret into the integration.',
  ],
  scopes: { 'users:read': 'Who the account is.' },
  authorize: { url: 'https://auth.calendly.com/oauth/authorize', defaultScopes: ['users:read'] },
  token: { url: 'https://auth.calendly.com/oauth/token', clientAuth: 'basic' },
  answer: { facts: { organization: 'organization' } },
  reuse: { class: 'P3', evidence: 'Refresh tokens are single-use, enforced for all integrations by 2026-08-31.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 7_200 },
  revoke: { url: 'https://auth.calendly.com/oauth/revoke', clientAuth: 'body', reach: 'grant', fallback: { token: 'access' } },
  account: [
    { from: 'answer', path: 'owner', label: null },
    { from: 'request', url: 'https://api.calendly.com/users/me', path: 'resource.uri', label: 'resource.email', needsScope: ['users:read'] },
  ],
  api: { base: 'https://api.calendly.com' },
  check: { request: { url: 'https://api.calendly.com/users/me' }, where: { 'resource.uri': '*' }, needsScope: ['users:read'] },
  samples: {
    exchange: {
      access_token: 'access-1',
      refresh_token: 'refresh-1',
      token_type: 'Bearer',
      expires_in: 7_200,
      scope: 'users:read',
      owner: 'https://api.calendly.com/users/EBHAAFHDCAEQTSEZ',
      organization: 'https://api.calendly.com/organizations/EBHAAFHDCAEQTSEZ',
    },
    refresh: {
      access_token: 'access-2',
      refresh_token: 'refresh-2',
      token_type: 'Bearer',
      expires_in: 7_200,
      scope: 'users:read',
      owner: 'https://api.calendly.com/users/EBHAAFHDCAEQTSEZ',
      organization: 'https://api.calendly.com/organizations/EBHAAFHDCAEQTSEZ',
    },
    check: { resource: { uri: 'https://api.calendly.com/users/EBHAAFHDCAEQTSEZ', email: 'jo@example.com' } },
  },
  notes: ['A refresh token is valid until it is used, once.', 'The id of an account is a URI.'],
  unverified: ['revoke.reach', 'setup', 'samples'],
  sources: [
    'https://developer.calendly.com/how-to-access-calendly-data-on-behalf-of-authenticated-users',
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#calendly',
  ],
})
