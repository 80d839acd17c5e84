import { expect, test } from 'vitest'
import { judge } from '../../core/provider/judge.ts'
import { answered, contextOf } from '../../testing/provider-contexts.ts'
import { recordFacts, SENT } from '../../testing/record-facts.ts'
import { fitbit } from './fitbit.ts'

const invalid = (message: string) => ({ errors: [{ errorType: 'invalid_grant', message }], success: false })
const granted = { accessSeconds: 28_800, scopes: ['activity', 'profile'], account: 'GGNJL9' }

recordFacts(fitbit, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', ...granted } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', ...granted } },
  errors: [
    ['refresh', 400, invalid('Refresh token invalid: refresh-1. Visit https://dev.fitbit.com/docs/oauth2 ...'), 'dead'],
    ['exchange', 400, invalid('Authorization code invalid'), 'restart_flow'],
    ['refresh', 401, { errors: [{ errorType: 'invalid_client', message: 'Invalid authorization header' }], success: false }, 'config'],
    ['refresh', 429, { errors: [{ errorType: 'rate_limit' }] }, 'throttled'],
  ],
})

test('fitbit: the refresh token that an error repeats is not kept', async () => {
  const refreshToken = 'c643a63c072f0f05478e9d18b991db80ef6061e4f8e6c822d83fed53e5fafdd7'
  const outcome = answered(400, invalid(`Refresh token invalid: ${refreshToken}. Visit https://dev.fitbit.com/docs/oauth2`))
  const verdict = await judge(await contextOf(fitbit), { step: 'refresh', outcome, sentAt: SENT, secrets: [refreshToken] })
  expect(JSON.stringify(verdict)).not.toContain(refreshToken.slice(0, 16))
})
