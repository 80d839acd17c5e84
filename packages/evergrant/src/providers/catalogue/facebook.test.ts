import { createHmac } from 'node:crypto'
import { recordFacts } from '../../testing/record-facts.ts'
import { facebook } from './facebook.ts'

const expired = {
  error: { message: 'Error validating access token: Session has expired on ...', type: 'OAuthException', code: 190, error_subcode: 463, fbtrace_id: 'A1' },
}

const payload = Buffer.from(JSON.stringify({ algorithm: 'HMAC-SHA256', issued_at: 1_795_240_700, user_id: '10158' })).toString('base64url')
const signature = createHmac('sha256', 'client-secret').update(payload).digest('base64url')

recordFacts(facebook, {
  exchange: [
    { expect: { accessToken: 'EAAG-at-1', accessSeconds: 5_184_000 } },
    { answer: { ...facebook.samples.exchange, expires_in: 5_107_800 }, expect: { accessToken: 'EAAG-at-1', accessSeconds: 5_107_800 } },
  ],
  refresh: { expect: { accessToken: 'EAAG-at-2', accessSeconds: 5_184_000 } },
  account: { answer: { id: '10158', name: 'Jo' }, account: '10158', label: 'Jo' },
  errors: [
    ['refresh', 400, expired, 'expired'],
    ['refresh', 400, { error: { code: 190, error_subcode: 460 } }, 'dead'],
    ['refresh', 400, { error: { code: 190, error_subcode: 458 } }, 'dead'],
    ['refresh', 400, { error: { code: 190, message: 'Malformed access token' } }, 'unknown'],
    ['refresh', 400, { error: { code: 4 } }, 'throttled'],
    ['refresh', 500, { error: { code: 2, is_transient: true } }, 'unknown'],
    ['exchange', 400, { error: { message: 'This authorization code has expired.', type: 'OAuthException', code: 100 } }, 'restart_flow'],
    ['exchange', 400, { error: { message: 'Error validating client secret.', type: 'OAuthException', code: 1 } }, 'config'],
  ],
  api: [
    [400, {}, expired, 'token_rejected'],
    [400, {}, { error: { code: 4 } }, 'throttled'],
    [403, {}, { error: { code: 200, message: 'Permissions error' } }, 'scope_missing'],
    [400, {}, { error: { code: 100, message: 'Invalid parameter' } }, 'not_about_the_token'],
  ],
  pushes: [
    {
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: `signed_request=${signature}.${payload}`,
      secret: 'client-secret',
      says: [{ means: 'revoked', account: '10158' }],
    },
  ],
})
