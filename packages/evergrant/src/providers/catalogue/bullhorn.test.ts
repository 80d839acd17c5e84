import { expect, test } from 'vitest'
import { accountFromAnswer } from '../../core/provider/account.ts'
import { contextOf } from '../../testing/provider-contexts.ts'
import { recordFacts } from '../../testing/record-facts.ts'
import { bullhorn } from './bullhorn.ts'

const account = 'abc123'

recordFacts(bullhorn, {
  facts: { restUrl: 'https://rest91.bullhornstaffing.com/rest-services/abc123/' },
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 600, account } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', accessSeconds: 600, account } },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
  ],
})

test('a session on another host is of the same account, so that a reconnect is not refused', async () => {
  const moved = await contextOf(bullhorn, { variables: {}, facts: { restUrl: 'https://rest42.bullhornstaffing.com/rest-services/abc123/' } })
  expect(accountFromAnswer(moved, {}, { idToken: null, accessToken: null }, null)?.account).toBe(account)
})
