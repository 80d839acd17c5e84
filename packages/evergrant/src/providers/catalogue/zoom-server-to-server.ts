import { defineProvider } from '../define.ts'

export const zoomServerToServer = defineProvider({
  id: 'zoom-server-to-server',
  name: 'Zoom (Server-to-Server OAuth)',
  docs: 'https://developers.zoom.us/docs/internal-apps/s2s-oauth/',
  grant: 'client_credentials',
  setup: [
    'Create a Server-to-Server OAuth app in the Zoom App Marketplace of the account, choose its scopes and activate it.',
    'Its account id is the variable account_id. Client id and secret belong to the integration, or to each connection where every customer has an app.',
  ],
  variables: { account_id: { label: 'Account id', pattern: '[A-Za-z0-9_-]{1,64}', example: 'q6gBJVO5TzexKYTb_I2rpg', askedOf: 'connection' } },
  authorize: { scopeParameter: null },
  token: {
    url: 'https://zoom.us/oauth/token',
    clientAuth: 'basic',
    exchangeParameters: { grant_type: 'account_credentials', account_id: '{account_id}' },
  },
  answer: { paths: { refreshToken: null }, facts: { api_url: 'api_url' } },
  verdicts: [
    {
      status: [400],
      where: { error: 'invalid_request' },
      verdict: 'unknown',
      meaning: 'Zoom does not know the account, or it has an inner error: the other accounts of the app are not touched.',
    },
  ],
  reuse: { evidence: 'A new token may be asked for at any time; earlier ones live on until their end.' },
  lifetimes: { accessSeconds: 3_600 },
  account: [{ from: 'variable', name: 'account_id' }],
  api: { base: 'https://api.zoom.us/v2' },
  check: { request: { url: 'https://api.zoom.us/v2/users', parameters: { page_size: '1' } }, needsScope: ['user:read:list_users:admin', 'user:read:admin'] },
  samples: { refresh: { access_token: 'at-1', token_type: 'bearer', expires_in: 3_599, scope: 'user:read:list_users:admin', api_url: 'https://api.zoom.us' } },
  notes: ['The grant is called account_credentials. There are no users in it: the token acts for the account.'],
  unverified: ['verdicts', 'check'],
  sources: ['https://developers.zoom.us/docs/internal-apps/s2s-oauth/'],
})
