import type { ConnectionTruth } from '../ledger.ts'
import type { Oracle } from './oracle.ts'
import type { OracleParts } from './oracle-parts.ts'

interface Asker {
  ask(connection: ConnectionTruth, want: { readonly minTtlMs: number; readonly rejectedGeneration: number | null }, then: (answer: unknown) => void): void
}

const TRIES = 10
const BETWEEN_MS = 60_000

/** I8: with the faults gone for an hour, whatever a provider would honour has a valid access token for whoever asks. */
export function checkLiveness(parts: OracleParts, oracle: Oracle, people: Asker, connections: readonly ConnectionTruth[]): void {
  for (const connection of connections) askUntilServed(parts, oracle, people, connection, TRIES)
}

function askUntilServed(parts: OracleParts, oracle: Oracle, people: Asker, connection: ConnectionTruth, tries: number): void {
  const { world } = parts
  if (connection.row.connection.state !== 'active' || !oracle.honoured(connection)) return
  people.ask(connection, { minTtlMs: 0, rejectedGeneration: null }, (answer) => {
    if (answer !== null) return
    if (tries > 0) return void world.after(BETWEEN_MS, () => askUntilServed(parts, oracle, people, connection, tries - 1))
    const { row, site, index } = connection
    const { suspicion, lease } = row.credential
    world.violate(
      'I8',
      `c${index} (${site.reuse.class}) has no token an hour after the faults: fault ${row.connection.fault?.code}, suspicion ${suspicion?.intent}, lease ${lease?.owner}`,
    )
  })
}
