import { recordFacts } from '../../testing/record-facts.ts'
import { coros } from './coros.ts'

recordFacts(coros, {
  exchange: {
    expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 2_592_000, account: 'open-1', facts: { open_id: 'open-1' } },
  },
  // The answer holds no token: the one that is held lives for another 30 days.
  refresh: { expect: { accessToken: 'held-1', accessSeconds: 2_592_000 } },
  errors: [
    ['refresh', 200, { result: '5002', message: 'Unauthorized client ID' }, 'config'],
    ['refresh', 200, { result: '1001', message: 'Service exception' }, 'unknown'],
    ['exchange', 200, { result: '5002', message: 'Unauthorized client ID' }, 'config'],
    ['exchange', 200, { result: '5005', message: 'something new' }, 'unknown'],
  ],
})
