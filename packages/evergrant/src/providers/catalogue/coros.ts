import { defineProvider } from '../define.ts'

export const coros = defineProvider({
  id: 'coros',
  name: 'COROS',
  docs: 'https://open.coros.com',
  setup: [
    'Ask COROS for access to its API (the form stands at https://support.coros.com) and give the redirect URI {redirect_uri}.',
    'Copy the client id and the client secret that you receive into the integration.',
  ],
  authorize: { url: 'https://open.coros.com/oauth2/authorize' },
  token: {
    url: 'https://open.coros.com/oauth2/accesstoken',
    refreshUrl: 'https://open.coros.com/oauth2/refresh-token',
    refresh: { prolongs: true },
  },
  answer: { success: { path: 'result', equals: '0000', step: 'refresh' }, paths: { idToken: null }, facts: { open_id: 'openId' } },
  verdicts: [{ status: [200], where: { result: '5002' }, verdict: 'config', meaning: 'The client id is not authorized.' }],
  reuse: { evidence: 'A refresh prolongs the token that is there; the refresh token stays the same.' },
  rotation: 'never',
  lifetimes: { accessSeconds: 2_592_000 },
  account: [{ from: 'answer', path: 'openId', label: null }],
  api: { base: 'https://open.coros.com', authorization: { query: 'token' } },
  samples: {
    exchange: { access_token: 'access-1', refresh_token: 'refresh-1', expires_in: 2_592_000, openId: 'open-1' },
    refresh: { result: '0000', message: 'OK' },
  },
  notes: [
    'A refresh answers without a token: success prolongs the access token that is there by 30 days.',
    'Failures come with HTTP 200 and a result that is not 0000; one that is not known here is treated as an unknown outcome, never as a dead grant.',
    'Calls of the API carry the token and the openId of the account in the query.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['reuse', 'docs', 'authorize.pkce', 'api.authorization', 'verdicts', 'setup', 'samples'],
  sources: ['github:NangoHQ/nango provider.client.ts refreshCorosToken', 'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#coros'],
})
