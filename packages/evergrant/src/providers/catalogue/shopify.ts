import { defineProvider } from '../define.ts'

export const shopify = defineProvider({
  id: 'shopify',
  name: 'Shopify (expiring offline tokens)',
  docs: 'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens',
  setup: [
    'Create an app in the Shopify Dev Dashboard or Partner Dashboard.',
    'Add {redirect_uri} to its allowed redirection URLs and choose its scopes.',
    'Copy client id and client secret into the integration.',
    'To hear of uninstalled apps, subscribe to the webhook app/uninstalled at the push address of the integration.',
  ],
  variables: {
    shop: { label: 'Name of the shop, before .myshopify.com', pattern: '[a-z0-9][a-z0-9-]{0,99}', example: 'acme-store', askedOf: 'connection' },
  },
  authorize: {
    url: 'https://{shop}.myshopify.com/admin/oauth/authorize',
    scopeSeparator: ',',
    pkce: 'unsupported',
    callback: { hmac: 'hmac' },
  },
  token: { url: 'https://{shop}.myshopify.com/admin/oauth/access_token', exchangeParameters: { expiring: '1' } },
  answer: { scopeSeparator: ',' },
  verdicts: [
    {
      step: 'exchange',
      status: [400],
      where: { error: 'invalid_request', error_description: '/authorization code/i' },
      verdict: 'restart_flow',
      meaning: 'The code is spent or expired.',
    },
  ],
  reuse: { class: 'P3', evidence: 'Each refresh token is good for one refresh; whether a grace window exists is an open question (community thread 34525).' },
  rotation: 'always',
  lifetimes: { accessSeconds: 3_600, refreshIdleSeconds: 7_776_000, onePerAccount: true },
  account: [{ from: 'variable', name: 'shop' }],
  api: { base: 'https://{shop}.myshopify.com/admin/api', authorization: { header: 'x-shopify-access-token', prefix: '' } },
  check: {
    request: {
      method: 'POST',
      url: 'https://{shop}.myshopify.com/admin/api/unstable/graphql.json',
      parameters: { query: '{ shop { id } }' },
      format: 'json',
    },
    where: { 'data.shop.id': '*' },
  },
  push: {
    proof: { kind: 'hmac_sha256', header: 'x-shopify-hmac-sha256', encoding: 'base64', secret: 'client_secret' },
    rules: [{ headers: { 'x-shopify-topic': 'app/uninstalled' }, means: 'revoked', account: 'myshopify_domain', pattern: '^([a-z0-9-]+)\\.myshopify\\.com$' }],
  },
  samples: {
    exchange: {
      access_token: 'shpat_at-1',
      scope: 'read_orders,write_orders',
      expires_in: 3_600,
      refresh_token: 'shprt_rt-1',
      refresh_token_expires_in: 7_776_000,
    },
    refresh: {
      access_token: 'shpat_at-2',
      scope: 'read_orders,write_orders',
      expires_in: 3_600,
      refresh_token: 'shprt_rt-2',
      refresh_token_expires_in: 7_776_000,
    },
    check: { data: { shop: { id: 'gid://shopify/Shop/1' } } },
  },
  sunsets: [{ what: 'Offline tokens that never expire end in public apps.', on: '2027-01-01', instead: 'Expiring tokens, which this record asks for.' }],
  notes: [
    'One expiring token per app and shop: a second consent, from another worker, environment or a new installation, ends all earlier ones.',
    'Expiring tokens are required for new public apps since 2026-04-01, and for all public apps from 2027-01-01 on.',
    'The callback is signed, and refused when the signature is wrong.',
    'The API wants X-Shopify-Access-Token instead of Authorization.',
    'There is no revoke endpoint: who disconnects here also removes the app at Shopify.',
  ],
  unverified: ['setup', 'authorize.pkce', 'verdicts', 'check', 'push'],
  sources: [
    'https://shopify.dev/changelog/offline-access-tokens-now-support-expiry-and-refresh',
    'https://shopify.dev/docs/apps/auth/access-token-types/offline',
    'https://community.shopify.dev/t/34525',
    'https://github.com/Shopify/shopify-app-js/blob/main/packages/apps/shopify-api/lib/auth/oauth/refresh-token.ts',
  ],
})
