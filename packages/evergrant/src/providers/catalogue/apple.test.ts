import { recordFacts } from '../../testing/record-facts.ts'
import { apple } from './apple.ts'

recordFacts(apple, {
  exchange: {
    expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 3_600, account: '001234.abc', label: 'jo@example.com' },
  },
  refresh: { expect: { accessToken: 'access-2', accessSeconds: 3_600 } },
  errors: [
    ['refresh', 400, { error: 'invalid_grant' }, 'dead'],
    ['refresh', 400, { error: 'invalid_client' }, 'config'],
    ['exchange', 400, { error: 'invalid_grant' }, 'restart_flow'],
  ],
})
