import { recordFacts } from '../../testing/record-facts.ts'
import { hubspot } from './hubspot.ts'

// Newer versions of the endpoint name portal, user and scopes.
const named = { token_use: 'access_token', hub_id: 1_234_567, user_id: 293_199, scopes: ['oauth', 'crm.objects.contacts.read'] }
const granted = { accessSeconds: 1_800, refreshToken: 'rt-1', account: '1234567', scopes: ['oauth', 'crm.objects.contacts.read'] }
const expired = { status: 'error', category: 'EXPIRED_AUTHENTICATION', message: 'The OAuth token used to make this call expired 5 minute(s) ago.' }

recordFacts(hubspot, {
  exchange: [
    { expect: { accessToken: 'at-1', refreshToken: 'rt-1', accessSeconds: 1_800 } },
    { answer: { ...hubspot.samples.exchange, ...named }, expect: { accessToken: 'at-1', ...granted } },
  ],
  refresh: { answer: { ...hubspot.samples.refresh, ...named }, expect: { accessToken: 'at-2', ...granted } },
  account: { answer: { portalId: 1_234_567, uiDomain: 'app.hubspot.com' }, account: '1234567' },
  errors: [
    ['refresh', 400, { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token' }, 'dead'],
    ['refresh', 400, { status: 'BAD_REFRESH_TOKEN', error: 'invalid_request' }, 'dead'],
    ['refresh', 400, { status: 'BAD_CLIENT_SECRET', error: 'invalid_client', message: 'missing or invalid client secret' }, 'config'],
    ['exchange', 400, { status: 'BAD_AUTH_CODE', message: 'missing or unknown auth code' }, 'restart_flow'],
  ],
  api: [[401, {}, expired, 'token_rejected']],
})
