import type { RuleDraft } from './define.ts'

/** Facebook and Instagram nest their errors: `error.code`, `error.error_subcode`. What is not known here kills nothing. */
export const META_VERDICTS: readonly RuleDraft[] = [
  { step: 'refresh', status: [400, 401], where: { 'error.code': 190, 'error.error_subcode': 463 }, verdict: 'expired', meaning: 'The token has ended.' },
  {
    step: 'refresh',
    status: [400, 401],
    where: { 'error.code': 190, 'error.error_subcode': '/^(458|460)$/' },
    verdict: 'dead',
    meaning: 'The user removed the app (458) or changed the password (460).',
  },
  { status: [400, 403], where: { 'error.code': '/^(4|17|32|613)$/' }, verdict: 'throttled', meaning: 'A rate limit of the app or of the user.' },
  { step: 'exchange', status: [400], where: { 'error.message': '/authorization code/i' }, verdict: 'restart_flow', meaning: 'The code is spent or expired.' },
  {
    status: [400],
    where: { 'error.message': '/client secret|client_id|redirect_uri/i' },
    verdict: 'config',
    meaning: 'App id, secret or redirect URI is wrong.',
  },
  { status: [400, 401, 403], where: { 'error.type': '*' }, verdict: 'unknown', meaning: 'An error that this record does not know.' },
  { status: [400, 401, 403], where: { 'error.code': '*' }, verdict: 'unknown', meaning: 'An error that this record does not know.' },
]
