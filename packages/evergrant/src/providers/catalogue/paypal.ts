import { defineProvider } from '../define.ts'

export const paypal = defineProvider({
  id: 'paypal',
  name: 'PayPal (Log in with PayPal)',
  docs: 'https://developer.paypal.com/docs/api/identity/v1/',
  setup: [
    'Create an app in the PayPal Developer Dashboard and switch Log in with PayPal on.',
    'Enter {redirect_uri} as its return URL and choose what it may read.',
    'Copy client id and secret into the integration; for the sandbox set the variable domain.',
  ],
  scopes: { openid: 'Know who the user is' },
  variables: {
    domain: {
      label: 'Environment',
      pattern: '(sandbox\\.)?paypal\\.com',
      example: 'sandbox.paypal.com',
      default: 'paypal.com',
      choices: { 'paypal.com': { label: 'Live', sets: {} }, 'sandbox.paypal.com': { label: 'Sandbox', sets: {} } },
    },
  },
  authorize: { url: 'https://www.{domain}/signin/authorize', defaultScopes: ['openid'], requiredScopes: ['openid'], pkce: 'unsupported' },
  token: { url: 'https://api-m.{domain}/v1/oauth2/token', clientAuth: 'basic' },
  answer: { paths: { idToken: null } },
  reuse: { class: 'PU', evidence: 'Nothing is documented.' },
  rotation: 'unknown',
  account: [
    {
      from: 'request',
      url: 'https://api-m.{domain}/v1/identity/oauth2/userinfo?schema=paypalv1.1',
      path: 'user_id',
      label: 'name',
      pattern: '([^/]+)/?$',
    },
  ],
  api: { base: 'https://api-m.{domain}' },
  check: { request: { url: 'https://api-m.{domain}/v1/identity/oauth2/userinfo', parameters: { schema: 'paypalv1.1' } } },
  samples: {
    exchange: {
      access_token: 'A21AA-at-1',
      refresh_token: 'R23AA-rt-1',
      token_type: 'Bearer',
      expires_in: 28_800,
      scope: 'openid',
      nonce: null,
    },
    refresh: { access_token: 'A21AA-at-2', refresh_token: null, token_type: 'Bearer', expires_in: 28_800, scope: 'openid' },
    check: { user_id: 'https://www.paypal.com/webapps/auth/identity/user/mWq6' },
  },
  notes: ['The account id comes as a URL: its last part is kept.', 'There is no revoke endpoint.'],
  unverified: ['setup', 'docs', 'authorize.pkce', 'account', 'check', 'samples'],
  sources: ['https://developer.paypal.com/docs/api/identity/v1/', 'https://github.com/SocialiteProviders/Providers/blob/master/src/PayPal/Provider.php'],
})
