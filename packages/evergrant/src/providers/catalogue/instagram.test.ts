import { recordFacts } from '../../testing/record-facts.ts'
import { instagram } from './instagram.ts'

recordFacts(instagram, {
  exchange: [
    { expect: { accessToken: 'IGAA-at-1', accessSeconds: 3_600 } },
    // An odd number of 17 digits is none that JavaScript has: another account would be read here.
    { answer: '{"access_token":"IGAA-at-1","user_id":17841400008460057}', expect: { accessToken: 'IGAA-at-1', accessSeconds: 3_600 } },
  ],
  refresh: { expect: { accessToken: 'IGAA-at-2', accessSeconds: 5_183_944 } },
  account: { answer: { user_id: '17841400000', username: 'jo' }, account: '17841400000', label: 'jo' },
  errors: [
    ['refresh', 400, { error: { type: 'OAuthException', code: 190 } }, 'dead'],
    ['refresh', 400, { error: { type: 'OAuthException', code: 190, error_subcode: 463 } }, 'expired'],
    ['refresh', 400, { error: { type: 'IGApiException', code: 100, message: 'The token must be at least 24 hours old' } }, 'unknown'],
    ['refresh', 400, { error: { type: 'OAuthException', code: 4 } }, 'throttled'],
    ['exchange', 400, { error_type: 'OAuthException', code: 400, error_message: 'This authorization code has been used' }, 'restart_flow'],
  ],
  api: [[400, {}, { error: { type: 'OAuthException', code: 190 } }, 'token_rejected']],
})
