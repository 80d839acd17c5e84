import { createHmac } from 'node:crypto'
import { recordFacts } from '../../testing/record-facts.ts'
import { shopify } from './shopify.ts'

const granted = { accessSeconds: 3_600, refreshSeconds: 7_776_000, scopes: ['read_orders', 'write_orders'], account: 'acme-store' }

const uninstalled = JSON.stringify({ id: 548_380_009, name: 'Acme', myshopify_domain: 'acme-store.myshopify.com' })

recordFacts(shopify, {
  variables: { shop: 'acme-store' },
  exchange: { expect: { accessToken: 'shpat_at-1', refreshToken: 'shprt_rt-1', ...granted } },
  refresh: { expect: { accessToken: 'shpat_at-2', refreshToken: 'shprt_rt-2', ...granted } },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['refresh', 401, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_request', error_description: 'The authorization code was not found or was already used' }, 'restart_flow'],
    ['refresh', 429, { errors: 'Exceeded 2 calls per second' }, 'throttled'],
  ],
  api: [[401, {}, { errors: '[API] Invalid API key or access token (unrecognized login or wrong password)' }, 'token_rejected']],
  pushes: [
    {
      headers: {
        'x-shopify-topic': 'app/uninstalled',
        'x-shopify-hmac-sha256': createHmac('sha256', 'client-secret').update(uninstalled).digest('base64'),
      },
      body: uninstalled,
      secret: 'client-secret',
      says: [{ means: 'revoked', account: 'acme-store' }],
    },
    {
      headers: { 'x-shopify-topic': 'orders/create', 'x-shopify-hmac-sha256': createHmac('sha256', 'client-secret').update('{}').digest('base64') },
      body: '{}',
      secret: 'client-secret',
      says: [],
    },
  ],
})
