import type { RuleDraft } from './define.ts'

/** Login with Amazon answers alike for advertisers and sellers. */
export const AMAZON_VERDICTS: readonly RuleDraft[] = [
  {
    step: 'refresh',
    status: [400],
    where: { error: 'invalid_grant' },
    verdict: 'dead',
    meaning: 'Expired 365 days after consent, revoked, the app removed, or the client changed: the body does not say which.',
  },
  {
    step: 'exchange',
    status: [400],
    where: { error: 'invalid_grant' },
    verdict: 'restart_flow',
    meaning: 'The authorization code is older than five minutes or already used.',
  },
  { status: [401], where: { error: 'invalid_client' }, verdict: 'config', meaning: 'The client secret is wrong, rotated or expired.' },
]
