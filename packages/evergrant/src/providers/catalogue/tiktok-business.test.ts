import { recordFacts } from '../../testing/record-facts.ts'
import { tiktokBusiness } from './tiktok-business.ts'

recordFacts(tiktokBusiness, {
  exchange: [
    { expect: { accessToken: 'at-1', account: '7000000000001' } },
    {
      answer: {
        code: 0,
        message: 'OK',
        data: { access_token: 'at-1', expires_in: 86_400, refresh_token: 'rt-1', refresh_token_expires_in: 31_536_000, open_id: 'open-1' },
      },
      expect: { accessToken: 'at-1', refreshToken: 'rt-1', accessSeconds: 86_400, refreshSeconds: 31_536_000, account: 'open-1' },
    },
  ],
  refresh: { expect: { accessToken: 'at-2', refreshToken: 'rt-2', accessSeconds: 86_400, refreshSeconds: 31_536_000, account: 'open-1' } },
  errors: [
    ['refresh', 200, { code: 40_105, message: 'Access token is incorrect or has been revoked.', data: {} }, 'unknown'],
    ['exchange', 200, { code: 40_002, message: 'Invalid auth_code.', data: {} }, 'unknown'],
  ],
})
