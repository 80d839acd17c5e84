import { recordFacts } from '../../testing/record-facts.ts'
import { shopify } from './shopify.ts'

const granted = { accessSeconds: 3_600, refreshSeconds: 7_776_000, scopes: ['read_orders', 'write_orders'], account: 'acme-store' }

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
})
