import type { Config } from '../config.ts'
import { DatabaseClock } from '../core/database-clock.ts'
import { Fault } from '../core/fault/fault.ts'
import { describeSkew, SKEW_REFUSE_MS, SKEW_WARN_MS } from '../core/refresh/node-watch.ts'
import type { NodeReport } from '../core/refresh/nodes.ts'
import type { Clock } from '../core/time.ts'
import { type PostgresReport, postgresNodeReports, postgresReport } from '../store/index.ts'
import { type Finding, fine, problem } from './finding.ts'

/** The PostgreSQL server itself: whether it keeps what it was told, what a failover may lose, and whose clock is right. */
export async function postgresFindings({ databaseUrl }: Pick<Config, 'databaseUrl'>, clock: Clock): Promise<readonly Finding[]> {
  if (databaseUrl === null) return []
  try {
    const report = await postgresReport(databaseUrl.reveal(), clock)
    return [durabilityFinding(report), failoverFinding(report), skewFinding(report, clock)]
  } catch (error) {
    return [silentServer(error)]
  }
}

function silentServer(error: unknown): Finding {
  if (!(error instanceof Fault)) throw error
  return problem('database server', error.message, 'start it, or point EVERGRANT_DATABASE_URL at a primary that keeps its promises')
}

export function durabilityFinding({ version, synchronousCommit }: PostgresReport): Finding {
  const own =
    synchronousCommit === 'off'
      ? 'synchronous_commit is off by default there; every session of Evergrant turns it on'
      : `synchronous_commit ${synchronousCommit}`
  return fine('database server', `PostgreSQL ${version}, fsync on, ${own}`)
}

/** Not a problem: a choice that somebody should know of before the failover. */
export function failoverFinding({ standbys, synchronousStandbys }: PostgresReport): Finding {
  const name = 'failover'
  if (standbys === 0) return fine(name, 'no standby is connected')
  if (synchronousStandbys) return fine(name, `${standbys} standby(s), commits wait for them`)
  return fine(
    name,
    `${standbys} standby(s), and no commit waits for them: a failover may lose the last seconds (RPO > 0). The journals of the nodes have the answers of that time: keep their data folders`,
  )
}

export function skewFinding({ at, tripMs }: PostgresReport, machine: Clock): Finding {
  const clock = new DatabaseClock(machine)
  clock.saw(at, tripMs)
  const skewMs = clock.skewMs()
  const name = 'clock of the database'
  if (Math.abs(skewMs) < SKEW_WARN_MS) return fine(name, 'agrees with this machine')
  const effect = Math.abs(skewMs) < SKEW_REFUSE_MS ? '' : '; a server starts no refresh here'
  return problem(name, `${describeSkew(skewMs)}${effect}`, 'turn on time synchronisation (NTP) on both')
}

/** What the nodes that run now say of themselves. The tables must be there. */
export async function nodeFindings({ databaseUrl }: Pick<Config, 'databaseUrl'>): Promise<readonly Finding[]> {
  if (databaseUrl === null) return []
  try {
    return addressFindings(await postgresNodeReports(databaseUrl.reveal()))
  } catch (error) {
    return [silentServer(error)]
  }
}

/** Links, callbacks and issuers carry the address of the node that answers; commands serve nobody, and a version that says nothing is not guessed at. */
export function addressFindings(reports: readonly NodeReport[]): readonly Finding[] {
  const servers = reports.flatMap(({ id, alive, about }) => (alive && about?.kind === 'server' ? [{ id, publicUrl: about.publicUrl }] : []))
  const addresses = new Set(servers.map(({ publicUrl }) => publicUrl))
  if (servers.length < 2) return []
  const name = 'public URL of the nodes'
  if (addresses.size === 1) return [fine(name, `${servers.length} nodes say ${[...addresses].join()}`)]
  const said = servers.map(({ id, publicUrl }) => `node ${id} says ${publicUrl}`).join(', ')
  return [
    problem(
      name,
      `${said}: links, callbacks and issuers depend on which of them answers`,
      'set the same EVERGRANT_PUBLIC_URL on every node, and restart them one after the other',
    ),
  ]
}
