import { defineProvider } from '../define.ts'
import { META_VERDICTS } from '../meta-verdicts.ts'

export const instagram = defineProvider({
  id: 'instagram',
  name: 'Instagram (Instagram Login)',
  docs: 'https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login',
  setup: [
    'Create a business app in Meta for Developers and add the product Instagram with Instagram login.',
    'In its business login settings add {redirect_uri} to the OAuth redirect URIs.',
    'Copy the Instagram app id and app secret (not those of the Meta app) into the integration.',
  ],
  scopes: { instagram_business_basic: 'Read profile and media of a professional account' },
  authorize: {
    url: 'https://www.instagram.com/oauth/authorize',
    scopeSeparator: ',',
    defaultScopes: ['instagram_business_basic'],
    pkce: 'unsupported',
  },
  token: {
    url: 'https://api.instagram.com/oauth/access_token',
    refreshUrl: 'https://graph.instagram.com/refresh_access_token',
    refreshParameters: { grant_type: 'ig_refresh_token' },
    refresh: { presents: 'access_token', method: 'GET', clientAuth: 'none', omit: ['client_id'], minimumAgeSeconds: 86_400 },
  },
  chain: [
    {
      request: {
        url: 'https://graph.instagram.com/access_token',
        headers: null,
        parameters: { grant_type: 'ig_exchange_token', client_secret: '{client_secret}', access_token: '{access_token}' },
      },
      accessSeconds: 5_184_000,
    },
  ],
  verdicts: [
    ...META_VERDICTS.slice(0, 2),
    {
      step: 'refresh',
      status: [400],
      where: { 'error.type': 'OAuthException', 'error.code': 190 },
      verdict: 'dead',
      meaning: 'The token has ended, or the password was changed.',
    },
    { step: 'exchange', status: [400], where: { error_message: '/authorization code/i' }, verdict: 'restart_flow', meaning: 'The code is spent or expired.' },
    ...META_VERDICTS.slice(2),
  ],
  reuse: { class: 'PU', evidence: 'Nothing is documented about presenting a token again.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 3_600, issuesRefreshToken: false },
  account: [{ from: 'request', url: 'https://graph.instagram.com/me?fields=user_id,username', path: 'user_id', label: 'username' }],
  api: {
    base: 'https://graph.instagram.com',
    answers: [
      { status: [400, 403], where: { 'error.code': '/^(4|17|32|613)$/' }, means: 'throttled' },
      { status: [400, 401], where: { 'error.code': 190 }, means: 'token_rejected' },
    ],
  },
  check: { request: { url: 'https://graph.instagram.com/me', parameters: { fields: 'user_id' } } },
  samples: {
    exchange: { access_token: 'IGAA-at-1', user_id: 17_841_400_000 },
    refresh: { access_token: 'IGAA-at-2', token_type: 'bearer', expires_in: 5_183_944 },
    check: { user_id: '17841400000' },
  },
  notes: [
    'The first token lives one hour and is exchanged at once for one of 60 days.',
    'There is no refresh token: the token renews itself, not before it is 24 hours old and not after it has ended.',
    'Only professional accounts (business and creator) can connect.',
    'The account is asked for: in the answer to the code its id is a number of 17 digits, which many readers of JSON round.',
    'There is no revoke endpoint: who disconnects here also removes the app at Instagram.',
  ],
  unverified: ['setup', 'docs', 'authorize.defaultScopes', 'authorize.pkce', 'verdicts', 'api.answers', 'api.authorization', 'samples'],
  sources: ['https://developers.facebook.com/docs/instagram-platform/instagram-api-with-instagram-login'],
})
