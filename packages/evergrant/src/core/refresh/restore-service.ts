import type { Actor } from '../audit/event.ts'
import { Fault, type FaultCode } from '../fault/fault.ts'
import { newId, type OrganizationId } from '../ids.ts'
import { type Clock, type Entropy, MINUTE } from '../time.ts'
import type { DatabaseTrust } from './database-trust.ts'
import type { DatabaseHome, EndGrants, Lineage, Lineages, NodeComparison, ReportedBehind, RollingNode } from './lineage.ts'
import type { NodeAbout, Nodes } from './nodes.ts'

interface RestorePorts {
  readonly clock: Clock
  readonly entropy: Entropy
  readonly lineages: Lineages
  readonly nodes: Pick<Nodes, 'list'>
  readonly trust: Pick<DatabaseTrust, 'refreshed'>
  readonly home: () => Promise<DatabaseHome | null>
  /** The operator's organization: the others of the server do not decide about its database. */
  readonly organization: OrganizationId
}

export interface RestoreStatus {
  readonly lineage: Lineage
  readonly home: DatabaseHome | null
  /** What is older here than it has to be, at most {@link SHOWN}. */
  readonly behind: readonly ReportedBehind[]
  /** Running nodes whose journals may still mend something: they have not compared their marks yet, or still roll forward. */
  readonly waitingFor: readonly string[]
  /** Those of them that are commands of the command line: they do not compare again, and end by themselves. */
  readonly commands: readonly string[]
  /** Running nodes that have compared and still roll their journals forward, with the connections each has to look at. */
  readonly rolling: readonly RollingNode[]
  /** Nodes that are known and do not run: if their data folders exist, start them before confirming. */
  readonly absent: readonly string[]
}

/** `restored`: this is the newest there is. `original`: a copy whose original is gone. `clone`: a copy whose original lives. */
export type ConfirmAs = 'restored' | 'original' | 'clone'

interface Confirmed {
  /** False: the database was trusted already, and nothing was done. */
  readonly changed: boolean
  readonly lineage: Lineage
  /** Grants that now need a reconnect. */
  readonly ended: number
}

const SHOWN = 1_000
const BATCH = 200

/** What an operator sees of a database that is not trusted, and the decision that ends it. */
export class RestoreService {
  readonly #ports: RestorePorts

  constructor(ports: RestorePorts) {
    this.#ports = ports
  }

  /** The list of what is behind names owners of all organizations. @throws Fault `forbidden` for any but the operator's */
  mustOperate(organization: OrganizationId): void {
    if (organization === this.#ports.organization) return
    throw new Fault('forbidden', { detail: 'only a key of the default organization sees and decides about the database of the whole server' })
  }

  async status(): Promise<RestoreStatus> {
    const { lineages, entropy, home } = this.#ports
    const [lineage, behind, compared, rolling, running] = await Promise.all([
      lineages.open({ instance: entropy.uuid(), home: null }),
      lineages.reported(SHOWN),
      lineages.nodes(),
      lineages.rolling(),
      this.#running(),
    ])
    if (lineage.trusted === 'trusted') return { lineage, home: await home(), behind, waitingFor: [], commands: [], rolling: [], absent: [] }
    // Whoever still has to look at something has not compared to the end.
    const busy = new Set(rolling.map(({ node }) => node))
    const has = new Set(compared.filter(({ node, comparedEra }) => comparedEra === lineage.era && !busy.has(node)).map(({ node }) => node))
    const rollingHere = rolling.filter(({ node }) => running.has(node) && compared.some((one) => one.node === node && one.comparedEra === lineage.era))
    const waitingFor = [...running.keys()].filter((node) => !has.has(node))
    return {
      lineage,
      home: await home(),
      behind,
      waitingFor,
      commands: waitingFor.filter((node) => running.get(node) === 'command'),
      rolling: rollingHere,
      absent: absentOf(compared, running, has),
    }
  }

  /**
   * Ends what cannot be saved, then trusts the database again, in a new era. Repeating it, after a crash too, is harmless.
   * `giveUpRolling`: also what the journals of running nodes could still bring forward.
   * @throws Fault `forbidden` for another organization, `conflict` when it does not fit the state
   */
  async confirm(organization: OrganizationId, actor: Actor, as: ConfirmAs, giveUpRolling = false): Promise<Confirmed> {
    this.mustOperate(organization)
    const status = await this.status()
    const { lineage, home } = status
    if (lineage.trusted === 'trusted') return { lineage, ended: 0, changed: false }
    refuseMisfit(lineage, as)
    // In a clone every grant ends: nothing that is brought forward would be kept.
    refuseTooEarly(status, giveUpRolling || as === 'clone')
    const ended = await this.#end(as, actor)
    const { clock, entropy, lineages, trust } = this.#ports
    const event = {
      id: newId('evt', entropy),
      organization,
      type: 'database.confirmed' as const,
      at: clock.wall(),
      actor,
      connection: null,
      subject: null,
      data: { as, was: lineage.trusted, reason: lineage.reason, ended },
    }
    const confirmed = await lineages.confirm(home, as === 'clone' ? entropy.uuid() : null, event)
    await trust.refreshed()
    return { lineage: confirmed, ended, changed: true }
  }

  async #end(as: ConfirmAs, actor: Actor): Promise<number> {
    const { lineages } = this.#ports
    let total = 0
    for (;;) {
      const end = this.#endGrants(as === 'clone' ? 'grant_kept_elsewhere' : 'rotated_after_backup', actor)
      const ended = await (as === 'clone' ? lineages.endInherited(end) : lineages.endBehind(end))
      total += ended
      if (ended < BATCH) return total
    }
  }

  #endGrants(code: FaultCode, actor: Actor): EndGrants {
    const { clock, entropy } = this.#ports
    const at = clock.wall()
    const evidence = { intent: null, httpStatus: null, providerCode: null, providerText: null, answerHash: null }
    return { limit: BATCH, fault: { code, at, evidence }, events: Array.from({ length: BATCH }, () => newId('evt', entropy)), event: { at, actor } }
  }

  async #running(): Promise<ReadonlyMap<string, NodeAbout['kind']>> {
    const now = this.#ports.clock.wall()
    const nodes = await this.#ports.nodes.list()
    const lately = nodes.filter(({ alive, heartbeatAt }) => alive && heartbeatAt > now - MINUTE)
    return new Map(lately.map(({ id, about }) => [id, about?.kind ?? 'server']))
  }
}

function absentOf(compared: readonly NodeComparison[], running: Pick<ReadonlySet<string>, 'has'>, has: ReadonlySet<string>): readonly string[] {
  return compared.map(({ node }) => node).filter((node) => !running.has(node) && !has.has(node))
}

function refuseTooEarly({ waitingFor, commands, rolling }: RestoreStatus, giveUpRolling: boolean): void {
  const still = new Map(rolling.map(({ node, connections }) => [node, connections]))
  const silent = waitingFor.filter((node) => !still.has(node))
  if (silent.length > 0) {
    const names = silent.map((node) => (commands.includes(node) ? `${node} (a command of the command line, which ends by itself)` : node))
    const detail = `these running nodes have not compared their marks yet: ${names.join(', ')}. Try again in a few seconds; stop a node that hangs`
    throw new Fault('conflict', { detail })
  }
  if (giveUpRolling || still.size === 0) return
  const who = [...still].map(([node, connections]) => `${node} (${connections} ${connections === 1 ? 'connection' : 'connections'} to look at)`)
  const detail = `journals are still rolled forward by ${who.join(', ')}: grants that they save would end. Try again in a few seconds; \`--give-up-rolling\` (\`give_up_rolling\`) ends those grants`
  throw new Fault('conflict', { detail })
}

function refuseMisfit(lineage: Lineage, as: ConfirmAs): void {
  if (lineage.trusted === 'restored' && as === 'original') {
    throw new Fault('conflict', {
      detail: 'this database is older than it was, not a copy from another place: confirm it as `restored`, or as `clone`',
      field: '/as',
    })
  }
  if (lineage.trusted === 'cloned' && as === 'restored') {
    const detail = 'this database is a copy from another place: confirm it as `original` if no other copy of it is in use any more, or as `clone` if one is'
    throw new Fault('conflict', { detail, field: '/as' })
  }
}
