import { defineProvider } from '../define.ts'

export const oura = defineProvider({
  id: 'oura',
  name: 'Oura',
  docs: 'https://cloud.ouraring.com/docs/authentication',
  setup: [
    'Create an application at https://cloud.ouraring.com/oauth/applications with the redirect URI {redirect_uri}.',
    'Copy the client id and the client secret into the integration.',
  ],
  scopes: { personal: 'Age, height, weight and the mail address of the account.' },
  authorize: { url: 'https://cloud.ouraring.com/oauth/authorize', defaultScopes: ['personal'], pkce: 'unsupported' },
  token: { url: 'https://api.ouraring.com/oauth/token' },
  reuse: { class: 'P3', evidence: 'Public code treats refresh tokens as single-use.' },
  rotation: 'always',
  revoke: {
    url: 'https://api.ouraring.com/oauth/revoke',
    clientAuth: 'none',
    format: 'query',
    token: 'access',
    parameter: 'access_token',
    reach: 'grant',
  },
  account: [{ from: 'request', url: 'https://api.ouraring.com/v2/usercollection/personal_info', path: 'id', label: 'email', needsScope: ['personal'] }],
  api: { base: 'https://api.ouraring.com' },
  check: { request: { url: 'https://api.ouraring.com/v2/usercollection/personal_info' }, needsScope: ['personal'] },
  samples: {
    exchange: { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 86_400, token_type: 'bearer', scope: 'personal' },
    refresh: { access_token: 'access-2', refresh_token: 'refresh-2', expires_in: 86_400, token_type: 'bearer', scope: 'personal' },
    check: { id: 'e6c8b1' },
  },
  notes: ['Revocation takes the access token in the query string, where logs of the provider may keep it.'],
  unverified: ['rotation', 'reuse', 'lifetimes', 'docs', 'revoke.reach', 'setup', 'scopes', 'samples'],
  sources: [
    'github:the-momentum/open-wearables backend/app/services/providers/oura/oauth.py',
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#oura',
  ],
})
