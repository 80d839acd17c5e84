import { createHmac } from 'node:crypto'
import { recordFacts, SENT } from '../../testing/record-facts.ts'
import { slackRotation } from './slack-rotation.ts'

const bot = { tokenType: 'bot', accessSeconds: 43_200, scopes: ['chat:write'], account: 'T9TK3CUKW', label: 'Acme' }
const failed = (error: string) => ({ ok: false, error })

const removed = JSON.stringify({ type: 'event_callback', team_id: 'T9TK3CUKW', event: { type: 'app_uninstalled' }, event_time: 1_795_240_700 })
const at = String(Math.floor(SENT / 1_000))

recordFacts(slackRotation, {
  exchange: [
    { expect: { accessToken: 'xoxe.xoxb-at-1', refreshToken: 'xoxe-1-rt-1', ...bot } },
    {
      token: 'user',
      answer: {
        ...slackRotation.samples.exchange,
        authed_user: { id: 'U1234', scope: 'users:read', access_token: 'xoxe.xoxp-at-1', expires_in: 43_200, refresh_token: 'xoxe-1-rt-2', token_type: 'user' },
      },
      expect: {
        accessToken: 'xoxe.xoxp-at-1',
        refreshToken: 'xoxe-1-rt-2',
        tokenType: 'user',
        accessSeconds: 43_200,
        scopes: ['users:read'],
        account: 'T9TK3CUKW:U1234',
        label: 'Acme',
      },
    },
  ],
  refresh: [
    { expect: { accessToken: 'xoxe.xoxb-at-2', refreshToken: 'xoxe-1-rt-3', ...bot } },
    // The user token is nested in the first answer, and flat in all later ones.
    {
      token: 'user',
      answer: {
        ok: true,
        access_token: 'xoxe.xoxp-at-2',
        refresh_token: 'xoxe-1-rt-4',
        expires_in: 43_200,
        token_type: 'user',
        scope: 'users:read',
        team: { id: 'T9TK3CUKW' },
      },
      expect: { accessToken: 'xoxe.xoxp-at-2', refreshToken: 'xoxe-1-rt-4', tokenType: 'user', accessSeconds: 43_200, scopes: ['users:read'] },
    },
  ],
  errors: [
    ['refresh', 200, failed('invalid_refresh_token'), 'dead'],
    ['refresh', 200, failed('ratelimited'), 'throttled'],
    ['refresh', 200, failed('fatal_error'), 'unknown'],
    ['refresh', 200, failed('bad_client_secret'), 'config'],
  ],
  api: [[200, {}, failed('token_expired'), 'token_rejected']],
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
