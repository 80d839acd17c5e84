import { defineProvider } from '../define.ts'

/** Answers 200 to a dead token, too, with an error in the body. */
const metadata = { url: 'https://login.mailchimp.com/oauth2/metadata', headers: { Authorization: 'OAuth {access_token}' } }

export const mailchimp = defineProvider({
  id: 'mailchimp',
  name: 'Mailchimp',
  docs: 'https://mailchimp.com/developer/marketing/guides/access-user-data-oauth-2/',
  setup: [
    'Register an app under Account, Extras, Registered apps in Mailchimp, with the redirect URI {redirect_uri}; Mailchimp wants 127.0.0.1 instead of localhost.',
    'Copy the client id and the client secret into the integration.',
  ],
  variables: {
    dc: { label: 'Data centre of the account', pattern: '[a-z]{2}[0-9]{1,3}', example: 'us6', askedOf: 'provider' },
  },
  authorize: { url: 'https://login.mailchimp.com/oauth2/authorize', scopeParameter: null },
  token: { url: 'https://login.mailchimp.com/oauth2/token' },
  answer: { zeroMeansNever: true, paths: { refreshToken: null, idToken: null } },
  reuse: { class: 'P0', evidence: 'No refresh token is issued.' },
  rotation: 'never',
  lifetimes: { issuesRefreshToken: false },
  account: [{ from: 'request', ...metadata, path: 'login.login_id', label: 'login.email' }],
  api: { base: 'https://{dc}.api.mailchimp.com/3.0', hosts: ['login.mailchimp.com'] },
  afterConnect: [{ finds: 'the data centre', request: metadata, facts: { dc: 'dc' }, needed: true }],
  check: { request: metadata, where: { dc: '*' } },
  samples: {
    exchange: { access_token: 'access-1', expires_in: 0, scope: null },
    check: { dc: 'us6', login: { login_id: 7_654_321, email: 'jo@example.com' }, user_id: 1_234_567, api_endpoint: 'https://us6.api.mailchimp.com' },
  },
  notes: [
    'Tokens never expire: expires_in is 0, which means no end.',
    'Calls go to the data centre of the account, which Evergrant asks for after the consent.',
    'The metadata endpoint answers 200 to a dead token, with an error in the body.',
    'There is no revoke endpoint in this record.',
  ],
  unverified: ['answer.zeroMeansNever', 'lifetimes.issuesRefreshToken', 'notes', 'docs', 'authorize.pkce', 'setup', 'samples'],
  sources: [
    'github:NangoHQ/nango@2f4c0af packages/providers/providers.yaml#mailchimp',
    'github:NangoHQ/nango mailchimp post-connection.ts',
    'github:nextauthjs/next-auth@a1a16a5 packages/core/src/providers/mailchimp.ts',
  ],
})
