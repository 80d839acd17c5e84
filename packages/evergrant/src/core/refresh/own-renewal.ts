import type { Credential } from '../connection/credential.ts'
import type { RefreshFacts } from '../provider/record.ts'
import { type Instant, MINUTE, SECOND } from '../time.ts'

/** Providers count a token's age from when they made it, which is after we asked. */
const AGE_SLACK_MS = MINUTE

/** True where a refresh presents the access token itself (Instagram): it can be renewed only while it lives. */
export function renewsItself(record: { readonly token: { readonly refresh: Pick<RefreshFacts, 'presents'> } }): boolean {
  return record.token.refresh.presents === 'access_token'
}

/** The first instant at which the provider takes a refresh of a token that was asked for then. */
export function refreshableFrom(obtainedAt: Instant, refresh: Pick<RefreshFacts, 'minimumAgeSeconds'>): Instant {
  return refresh.minimumAgeSeconds === null ? obtainedAt : obtainedAt + refresh.minimumAgeSeconds * SECOND + AGE_SLACK_MS
}

/** What is presented has ended with the access token that it is. */
export function endedWithItself({ accessExpiresAt }: Pick<Credential, 'accessExpiresAt'>, refresh: Pick<RefreshFacts, 'presents'>, now: Instant): boolean {
  return refresh.presents === 'access_token' && accessExpiresAt !== null && accessExpiresAt <= now
}
