import { defineProvider } from '../define.ts'

export const tiktokBusiness = defineProvider({
  id: 'tiktok-business',
  name: 'TikTok for Business',
  docs: 'https://business-api.tiktok.com/portal/docs',
  setup: [
    'Register as a developer in TikTok for Business and create an app with the permissions it needs.',
    'Enter {redirect_uri} as its advertiser redirect URL.',
    'Copy app id and secret into the integration as client id and client secret.',
  ],
  authorize: {
    url: 'https://business-api.tiktok.com/portal/auth',
    rename: { client_id: 'app_id' },
    scopeSeparator: ',',
    pkce: 'unsupported',
  },
  token: {
    url: 'https://business-api.tiktok.com/open_api/v1.3/oauth2/access_token/',
    refreshUrl: 'https://business-api.tiktok.com/open_api/v1.3/tt_user/oauth2/refresh_token/',
    bodyFormat: 'json',
    rename: { client_id: 'app_id', client_secret: 'secret', code: 'auth_code' },
    refresh: { rename: {} },
  },
  answer: {
    paths: {
      accessToken: 'data.access_token',
      refreshToken: 'data.refresh_token',
      expiresIn: 'data.expires_in',
      refreshExpiresIn: 'data.refresh_token_expires_in',
      scope: null,
      tokenType: null,
      idToken: null,
    },
  },
  verdicts: [
    {
      status: [200],
      where: { code: '/^401(00|01)$/' },
      verdict: 'unknown',
      meaning: 'A failure delivered with HTTP 200; its code is not documented to end the grant.',
    },
  ],
  reuse: { class: 'PU', evidence: 'Nothing is documented.' },
  rotation: 'unknown',
  account: [
    { from: 'answer', path: 'data.open_id', label: null },
    { from: 'answer', path: 'data.advertiser_ids.*', label: null },
  ],
  api: { base: 'https://business-api.tiktok.com/open_api/v1.3/', authorization: { header: 'access-token', prefix: '' } },
  samples: {
    exchange: {
      code: 0,
      message: 'OK',
      request_id: '2026112106',
      data: {
        access_token: 'at-1',
        advertiser_ids: ['7000000000002', '7000000000001'],
        expires_in: null,
        refresh_token: null,
        refresh_token_expires_in: null,
        open_id: null,
      },
    },
    refresh: {
      code: 0,
      message: 'OK',
      request_id: '2026112107',
      data: {
        access_token: 'at-2',
        expires_in: 86_400,
        refresh_token: 'rt-2',
        refresh_token_expires_in: 31_536_000,
        open_id: 'open-1',
        scope: 'user.info.basic',
        token_type: 'Bearer',
      },
    },
  },
  notes: [
    'Tokens of advertisers carry neither an end nor a refresh token; those of TikTok accounts do.',
    'Every field stands under "data", and failures come with HTTP 200 and a code other than 0: they are unknown here and end nothing.',
    'The parameters have names of their own at the exchange (app_id, secret, auth_code), and the usual ones at the refresh.',
    'The API wants Access-Token instead of Authorization. An account that several advertisers make up is named by the smallest of their ids.',
    'This record revokes nothing: who disconnects here also removes the app in TikTok for Business.',
  ],
  unverified: ['setup', 'docs', 'authorize.pkce', 'token.refresh.rename', 'samples'],
  sources: ['https://business-api.tiktok.com/portal/docs', 'https://github.com/tiktok/tiktok-business-api-sdk/blob/main/js_sdk/docs/AuthenticationApi.md'],
})
