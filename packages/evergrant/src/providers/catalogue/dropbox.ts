import { defineProvider } from '../define.ts'

export const dropbox = defineProvider({
  id: 'dropbox',
  name: 'Dropbox',
  docs: 'https://developers.dropbox.com/oauth-guide',
  setup: [
    'Create a scoped app in the Dropbox App Console and choose its permissions.',
    'Add {redirect_uri} to its redirect URIs.',
    'Copy app key and app secret into the integration as client id and client secret.',
  ],
  scopes: { 'account_info.read': 'Read the account of the user' },
  authorize: {
    url: 'https://www.dropbox.com/oauth2/authorize',
    parameters: { token_access_type: 'offline' },
    defaultScopes: ['account_info.read'],
  },
  token: { url: 'https://api.dropboxapi.com/oauth2/token' },
  reuse: { class: 'P0', evidence: 'Refresh answers carry no new refresh token.' },
  rotation: 'never',
  lifetimes: { accessSeconds: 14_400 },
  revoke: { url: 'https://api.dropboxapi.com/2/auth/token/revoke', clientAuth: 'bearer', token: 'access', parameter: null, format: 'query', reach: 'grant' },
  account: [
    { from: 'answer', path: 'account_id', label: null },
    { from: 'request', method: 'POST', url: 'https://api.dropboxapi.com/2/users/get_current_account', path: 'account_id', label: 'email' },
  ],
  api: { base: 'https://api.dropboxapi.com/2', hosts: ['content.dropboxapi.com'] },
  check: {
    request: { method: 'POST', url: 'https://api.dropboxapi.com/2/users/get_current_account', format: 'query' },
    needsScope: ['account_info.read'],
  },
  samples: {
    exchange: {
      access_token: 'sl.at-1',
      expires_in: 14_400,
      token_type: 'bearer',
      scope: 'account_info.read',
      refresh_token: 'rt-1',
      account_id: 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc',
      uid: '12345',
    },
    refresh: { access_token: 'sl.at-2', expires_in: 14_400, token_type: 'bearer' },
    check: { account_id: 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc', email: 'jo@example.com' },
  },
  notes: ['Without token_access_type=offline no refresh token is issued.', 'Refresh answers omit the refresh token: the first one stays.'],
  unverified: ['setup', 'verdicts', 'docs', 'lifetimes', 'revoke', 'api.hosts'],
  sources: ['https://developers.dropbox.com/oauth-guide', 'https://github.com/amp-labs/connectors/blob/main/providers/dropbox.go'],
})
