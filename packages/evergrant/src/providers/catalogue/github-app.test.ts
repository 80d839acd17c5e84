import { createHmac } from 'node:crypto'
import { recordFacts } from '../../testing/record-facts.ts'
import { githubApp } from './github-app.ts'

const granted = { accessSeconds: 28_800, refreshSeconds: 15_897_600, scopes: [] }

const revoked = JSON.stringify({ action: 'revoked', sender: { id: 583_231, login: 'octo' } })

recordFacts(githubApp, {
  exchange: { expect: { accessToken: 'ghu_at-1', refreshToken: 'ghr_rt-1', ...granted } },
  refresh: { expect: { accessToken: 'ghu_at-2', refreshToken: 'ghr_rt-2', ...granted } },
  account: { answer: { id: 583_231, login: 'octo' }, account: '583231', label: 'octo' },
  errors: [
    [
      'refresh',
      200,
      { error: 'bad_refresh_token', error_description: 'The refresh token passed is incorrect or expired.', error_uri: 'https://docs.github.com' },
      'dead',
    ],
    ['refresh', 200, { error: 'incorrect_client_credentials' }, 'config'],
    ['exchange', 200, { error: 'bad_verification_code' }, 'restart_flow'],
  ],
  api: [
    [401, {}, { message: 'Bad credentials' }, 'token_rejected'],
    [429, { 'retry-after': '60' }, { message: 'You have exceeded a secondary rate limit' }, 'throttled'],
  ],
  pushes: [
    {
      headers: {
        'x-github-event': 'github_app_authorization',
        'x-hub-signature-256': `sha256=${createHmac('sha256', 'webhook-secret').update(revoked).digest('hex')}`,
      },
      body: revoked,
      secret: 'webhook-secret',
      says: [{ means: 'revoked', account: '583231' }],
    },
  ],
})
