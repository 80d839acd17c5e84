import { recordFacts } from '../../testing/record-facts.ts'
import { discord } from './discord.ts'

recordFacts(discord, {
  exchange: { expect: { accessToken: 'access-1', refreshToken: 'refresh-1', accessSeconds: 604_800, scopes: ['identify'] } },
  refresh: { expect: { accessToken: 'access-2', refreshToken: 'refresh-2', accessSeconds: 604_800, scopes: ['identify'] } },
  account: { answer: { id: '80351110224678912', username: 'nelly' }, account: '80351110224678912', label: 'nelly', scopes: ['identify'] },
  errors: [
    ['refresh', 400, { error: 'invalid_grant', error_description: 'Invalid "refresh_token" in request' }, 'dead'],
    ['exchange', 400, { error: 'invalid_grant', error_description: 'Invalid "code" in request' }, 'restart_flow'],
    ['refresh', 401, { error: 'invalid_client' }, 'config'],
    ['refresh', 429, { message: 'You are being rate limited.', retry_after: 1.5 }, 'throttled'],
  ],
})
