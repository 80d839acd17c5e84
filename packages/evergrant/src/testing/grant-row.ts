import type { Connection } from '../core/connection/connection.ts'
import type { Credential } from '../core/connection/credential.ts'
import { newConnection } from '../core/connection/new-connection.ts'
import type { GrantRow } from '../core/refresh/credentials.ts'

const EMPTY = new Uint8Array(0)

/** A healthy one-hour grant obtained at instant 0, with whatever a test wants to be different. */
export function grantRow(change: { connection?: Partial<Connection>; credential?: Partial<Credential>; health?: Partial<GrantRow['health']> } = {}): GrantRow {
  const id = 'con_01900000-0000-7000-8000-000000000001'
  return {
    connection: newConnection(0, {
      id,
      organization: 'org_01900000-0000-7000-8000-000000000001',
      integration: 'int_01900000-0000-7000-8000-000000000001',
      owner: 'owner-1',
      account: 'ada',
      ...change.connection,
    }),
    credential: {
      connection: id,
      generation: 1,
      accessToken: EMPTY,
      refreshToken: EMPTY,
      fingerprint: 'fp',
      tokenType: 'Bearer',
      obtainedAt: 0,
      accessExpiresAt: 3_600_000,
      refreshExpiresAt: null,
      softAt: 2_500_000,
      hardAt: 3_420_000,
      epoch: 0,
      lease: null,
      intent: null,
      suspicion: null,
      ...change.credential,
    },
    health: { dueAt: 2_500_000, nextAttemptAt: null, failures: 0, firstFailedAt: null, endsAt: null, ...change.health },
  }
}
