import type { Instant } from '../time.ts'
import type { Connection } from './connection.ts'

/** What every new connection has; the rest is as in {@link newConnection}, unless it is named. */
type FirstConnection = Pick<Connection, 'id' | 'organization' | 'integration' | 'owner'> & Partial<Connection>

/** A connection as it is first stored: consented now, active, nothing failed, nothing read, nothing refreshed. */
export function newConnection(now: Instant, first: FirstConnection): Connection {
  return {
    account: null,
    accountLabel: null,
    state: 'active',
    fault: null,
    metadata: {},
    tags: [],
    scopes: null,
    variables: {},
    facts: {},
    consentedAt: now,
    createdAt: now,
    updatedAt: now,
    lastReadAt: null,
    lastRefreshedAt: null,
    disconnectedAt: null,
    version: 1,
    ...first,
  }
}
