import type { AroundDraft, QuotaDraft } from './define-around.ts'

/** Every header names two windows: a quarter of an hour, and the day. */
function quota(name: string, header: string, at: number, windowSeconds: number, methods: readonly string[]): QuotaDraft {
  return { name, methods, limit: { header: `${header}-limit`, at }, used: { header: `${header}-usage`, at }, windowSeconds, aligned: true }
}

/** What Strava says of its quotas, pushes and announced ends. */
export const STRAVA_AROUND: AroundDraft = {
  check: { request: { url: 'https://www.strava.com/api/v3/athlete' } },
  limits: {
    api: [
      quota('quarter_hour', 'x-ratelimit', 0, 900, []),
      quota('day', 'x-ratelimit', 1, 86_400, []),
      quota('read_quarter_hour', 'x-readratelimit', 0, 900, ['GET']),
      quota('read_day', 'x-readratelimit', 1, 86_400, ['GET']),
    ],
  },
  push: {
    proof: { kind: 'none' },
    handshake: { method: 'GET', where: { 'hub.mode': 'subscribe' }, token: 'hub.verify_token', echo: { parameter: 'hub.challenge', as: 'hub.challenge' } },
    rules: [
      {
        where: { object_type: 'athlete', aspect_type: 'update', 'updates.authorized': 'false', subscription_id: '{push_subscription}' },
        means: 'revoked',
        account: 'owner_id',
        at: 'event_time',
      },
    ],
  },
  sunsets: [
    {
      what: 'The endpoint /oauth/deauthorize ends.',
      on: '2027-06-01',
      instead: 'Evergrant revokes at /oauth/revoke; the old one is left for grants without a refresh token.',
    },
    {
      what: 'The API leaves www.strava.com/api/v3.',
      on: '2027-06-01',
      instead: 'The host api-v3.strava.com, there from 2027-01-04 on; OAuth stays where it is.',
    },
  ],
}
