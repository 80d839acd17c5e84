import { defineProvider } from '../define.ts'
import { META_VERDICTS } from '../meta-verdicts.ts'

const graph = 'https://graph.facebook.com/{version}'

export const facebook = defineProvider({
  id: 'facebook',
  name: 'Facebook (Meta Graph)',
  docs: 'https://developers.facebook.com/docs/facebook-login/guides/access-tokens',
  setup: [
    'Create an app in Meta for Developers and add Facebook Login to it.',
    'In the settings of Facebook Login add {redirect_uri} to the valid OAuth redirect URIs.',
    'Copy app id and app secret into the integration as client id and client secret.',
    'To hear of people who remove the app, enter the push address of the integration as its deauthorize callback URL.',
  ],
  scopes: { public_profile: "Read the user's public profile" },
  variables: { version: { label: 'Version of the Graph API', pattern: 'v[0-9]{1,3}\\.[0-9]', example: 'v22.0', default: 'v22.0' } },
  authorize: { url: 'https://www.facebook.com/{version}/dialog/oauth', scopeSeparator: ',', defaultScopes: ['public_profile'] },
  token: {
    url: `${graph}/oauth/access_token`,
    refreshParameters: { grant_type: 'fb_exchange_token' },
    refresh: { presents: 'access_token', method: 'GET', rename: { access_token: 'fb_exchange_token' } },
  },
  chain: [
    {
      request: {
        url: `${graph}/oauth/access_token`,
        headers: null,
        parameters: { grant_type: 'fb_exchange_token', client_id: '{client_id}', client_secret: '{client_secret}', fb_exchange_token: '{access_token}' },
      },
      accessSeconds: 5_184_000,
    },
  ],
  verdicts: META_VERDICTS,
  reuse: { evidence: 'An exchange gives a newer token and spends nothing.' },
  rotation: 'never',
  lifetimes: { accessSeconds: 5_184_000, issuesRefreshToken: false },
  revoke: {
    url: `${graph}/{account}/permissions`,
    method: 'DELETE',
    clientAuth: 'bearer',
    format: 'query',
    token: 'access',
    parameter: null,
    reach: 'grant',
  },
  account: [{ from: 'request', url: 'https://graph.facebook.com/me?fields=id,name', path: 'id', label: 'name' }],
  api: {
    base: graph,
    answers: [
      { status: [400, 401, 403], where: { 'error.code': '/^(4|17|32|613)$/' }, means: 'throttled' },
      { status: [400, 401], where: { 'error.code': 190 }, means: 'token_rejected' },
      { status: [400, 403], where: { 'error.code': '/^(10|2[0-9]{2})$/' }, means: 'scope_missing' },
    ],
  },
  check: { request: { url: 'https://graph.facebook.com/me', parameters: { fields: 'id' } } },
  push: {
    proof: { kind: 'signed_field', header: 'signed_request', secret: 'client_secret' },
    rules: [{ means: 'revoked', account: 'user_id', at: 'issued_at' }],
  },
  samples: {
    exchange: { access_token: 'EAAG-at-1', token_type: 'bearer', expires_in: null },
    refresh: { access_token: 'EAAG-at-2', token_type: 'bearer', expires_in: null },
    check: { id: '10158' },
  },
  notes: [
    'There is no refresh token: the access token is exchanged for a newer one while it lives, and cannot be once it has ended.',
    'The answer may name no lifetime: about 60 days then.',
    'Errors are nested, with a code and a subcode; a token without a future is code 190.',
    'How much of the quota is used stands as JSON in X-App-Usage and X-Business-Use-Case-Usage.',
  ],
  unverified: ['setup', 'docs', 'reuse', 'revoke', 'push', 'verdicts', 'api.answers', 'limits'],
  sources: ['https://developers.facebook.com/docs/facebook-login/guides/access-tokens', 'https://developers.facebook.com/docs/graph-api/guides/error-handling'],
})
