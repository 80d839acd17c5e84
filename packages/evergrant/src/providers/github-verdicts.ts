import type { RuleDraft } from './define.ts'

/** Both kinds of GitHub app answer errors with HTTP 200. */
export const GITHUB_VERDICTS: readonly RuleDraft[] = [
  { step: 'refresh', where: { error: 'bad_refresh_token' }, verdict: 'dead', meaning: 'The refresh token is spent, expired or revoked.' },
  { where: { error: 'incorrect_client_credentials' }, verdict: 'config', meaning: 'The client id or secret is wrong.' },
  { where: { error: 'bad_verification_code' }, verdict: 'restart_flow', meaning: 'The code is spent, expired or foreign.' },
  { where: { error: 'redirect_uri_mismatch' }, verdict: 'config', meaning: 'The redirect URI is not registered.' },
]
