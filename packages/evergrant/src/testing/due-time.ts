import type { ConnectionId } from '../core/ids.ts'
import type { Credentials, GrantRow } from '../core/refresh/credentials.ts'
import type { Instant } from '../core/time.ts'

/** Makes an active connection due then, or not at all, whatever its due time is now and whoever else changes it. */
export async function setDueAt({ credentials }: { readonly credentials: Credentials }, connection: ConnectionId, dueAt: Instant | null): Promise<void> {
  const read = async (): Promise<GrantRow> => (await credentials.read(connection)) ?? Promise.reject(new Error(`${connection} is not stored`))
  for (let row = await read(); row.connection.state === 'active' && row.health.dueAt !== dueAt; row = await read())
    await credentials.reschedule({ connection, takenUntil: row.health.dueAt }, dueAt)
}
