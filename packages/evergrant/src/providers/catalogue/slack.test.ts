import { createHmac } from 'node:crypto'
import { recordFacts, SENT } from '../../testing/record-facts.ts'
import { slack } from './slack.ts'

const failed = (error: string) => ({ ok: false, error })

const removed = JSON.stringify({ type: 'event_callback', team_id: 'T9TK3CUKW', event: { type: 'app_uninstalled' }, event_time: 1_795_240_700 })
const at = String(Math.floor(SENT / 1_000))

recordFacts(slack, {
  exchange: [
    { expect: { accessToken: 'xoxb-at-1', tokenType: 'bot', scopes: ['chat:write'], account: 'T9TK3CUKW', label: 'Acme' } },
    {
      token: 'user',
      answer: { ...slack.samples.exchange, authed_user: { id: 'U1234', scope: 'users:read', access_token: 'xoxp-at-1', token_type: 'user' } },
      expect: { accessToken: 'xoxp-at-1', tokenType: 'user', scopes: ['users:read'], account: 'T9TK3CUKW:U1234', label: 'Acme' },
    },
  ],
  errors: [
    ['exchange', 200, failed('invalid_code'), 'restart_flow'],
    ['exchange', 200, failed('bad_client_secret'), 'config'],
    ['exchange', 200, failed('fatal_error'), 'unknown'],
    ['exchange', 200, failed('ratelimited'), 'throttled'],
  ],
  api: [
    [200, {}, failed('token_revoked'), 'token_rejected'],
    [200, {}, failed('account_inactive'), 'token_rejected'],
    [200, {}, failed('invalid_auth'), 'token_rejected'],
    [200, {}, failed('missing_scope'), 'scope_missing'],
    [429, { 'retry-after': '30' }, failed('ratelimited'), 'throttled'],
    [200, {}, { ok: true }, 'ok'],
  ],
  pushes: [
    {
      headers: {
        'x-slack-request-timestamp': at,
        'x-slack-signature': `v0=${createHmac('sha256', 'signing-secret').update(`v0:${at}:${removed}`).digest('hex')}`,
      },
      body: removed,
      secret: 'signing-secret',
      says: [{ means: 'revoked', account: 'T9TK3CUKW' }],
    },
  ],
})
