import { recordFacts } from '../../testing/record-facts.ts'
import { hubspot } from './hubspot.ts'

const granted = { accessSeconds: 1_800, refreshToken: 'rt-1', account: '1234567', scopes: ['oauth', 'crm.objects.contacts.read'] }
const expired = { status: 'error', category: 'EXPIRED_AUTHENTICATION', message: 'The OAuth token used to make this call expired 5 minute(s) ago.' }

recordFacts(hubspot, {
  exchange: [
    { expect: { accessToken: 'at-1', ...granted } },
    {
      answer: { token_type: 'bearer', refresh_token: 'rt-1', access_token: 'at-1', expires_in: 1_800 },
      expect: { accessToken: 'at-1', refreshToken: 'rt-1', accessSeconds: 1_800 },
    },
  ],
  refresh: { expect: { accessToken: 'at-2', ...granted } },
  account: { answer: { portalId: 1_234_567, uiDomain: 'app.hubspot.com' }, account: '1234567' },
  errors: [
    ['refresh', 400, { status: 'BAD_REFRESH_TOKEN', message: 'missing or invalid refresh token' }, 'dead'],
    ['refresh', 400, { status: 'BAD_REFRESH_TOKEN', error: 'invalid_request' }, 'dead'],
    ['refresh', 400, { status: 'BAD_CLIENT_SECRET', error: 'invalid_client', message: 'missing or invalid client secret' }, 'config'],
    ['exchange', 400, { status: 'BAD_AUTH_CODE', message: 'missing or unknown auth code' }, 'restart_flow'],
  ],
  api: [[401, {}, expired, 'token_rejected']],
})
