import { defineProvider } from '../define.ts'

export const stripeApps = defineProvider({
  id: 'stripe-apps',
  name: 'Stripe Apps',
  docs: 'https://docs.stripe.com/stripe-apps/api-authentication/oauth',
  setup: [
    'In the manifest of your Stripe app set stripe_api_access_type to oauth, and its permissions.',
    'Add {redirect_uri} to allowed_redirect_uris of the manifest and upload the app.',
    'Copy the client id of the install link into the integration; its client secret is your secret API key.',
  ],
  authorize: { url: 'https://marketplace.stripe.com/oauth/v2/authorize', pkce: 'unsupported' },
  token: { url: 'https://api.stripe.com/v1/oauth/token', clientAuth: 'secret_as_username' },
  reuse: { class: 'PU', evidence: 'Every refresh answers with a new refresh token; what the old one still does is not documented.' },
  rotation: 'always',
  lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: 31_536_000 },
  account: [{ from: 'answer', path: 'stripe_user_id', label: null }],
  api: { base: 'https://api.stripe.com/v1' },
  check: { request: { url: 'https://api.stripe.com/v1/account' } },
  samples: {
    exchange: {
      access_token: 'sk_test_at-1',
      livemode: false,
      refresh_token: 'rt_rt-1',
      scope: 'stripe_apps',
      stripe_publishable_key: 'pk_test_1',
      stripe_user_id: 'acct_1',
      token_type: 'bearer',
    },
    refresh: {
      access_token: 'sk_test_at-2',
      livemode: false,
      refresh_token: 'rt_rt-2',
      scope: 'stripe_apps',
      stripe_publishable_key: 'pk_test_1',
      stripe_user_id: 'acct_1',
      token_type: 'bearer',
    },
    check: { id: 'acct_1', object: 'account' },
  },
  notes: [
    'The token endpoint takes the secret API key as user name of HTTP Basic with an empty password, and no client id.',
    'No answer names a lifetime: access tokens live one hour.',
    'Refresh tokens are believed to live a year from their last use.',
    'There is no revoke endpoint: who disconnects here also removes the app at Stripe.',
  ],
  unverified: ['setup', 'docs', 'lifetimes.refreshIdleSeconds', 'check'],
  sources: ['https://docs.stripe.com/stripe-apps/api-authentication/oauth'],
})
