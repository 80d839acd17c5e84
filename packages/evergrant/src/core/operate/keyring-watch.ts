import { Fault } from '../fault/fault.ts'
import type { Log } from '../log.ts'
import type { NodeIdentity } from '../refresh/credentials.ts'
import type { NodeAbout, NodeKeyring, NodeReport, Nodes } from '../refresh/nodes.ts'

/** The master keys of this process, by id. */
export interface NodeRing {
  /** All that open; the first is the one that shall seal. */
  ids(): readonly string[]
  /** The one that seals now. */
  seals(): string
  /** Seals with this one from now on. It is one of `ids`. */
  use(id: string): void
}

interface KeyringWatchPorts {
  readonly nodes: Pick<Nodes, 'list' | 'tell'>
  readonly node: NodeIdentity
  readonly ring: NodeRing
  /** What this process is. */
  readonly about: NodeAbout
  /** Answers in the journal of this process that the database is not known to have, by key. */
  readonly journal: () => Readonly<Record<string, number>>
  readonly log: Log
}

/**
 * Says which master keys this node has and what it is, and seals with the first of them that every live node has. So a new key may be given
 * to one node after the other: nobody seals with it before all can open it.
 */
export class KeyringWatch {
  readonly #ports: KeyringWatchPorts

  constructor(ports: KeyringWatchPorts) {
    this.#ports = ports
  }

  /** Looks at the others, changes the sealing key if that is time, and tells the others. Returns what it saw. */
  async look(): Promise<readonly NodeReport[]> {
    const { ring, log } = this.#ports
    let reports = await this.#ports.nodes.list()
    const before = ring.seals()
    const next = this.#knownToAll(reports) ?? before
    if (next !== before) {
      // Said before it is done: a node that starts meanwhile sees it, or is seen here.
      await this.#tell(reports, next)
      reports = await this.#ports.nodes.list()
      if (this.#knownToAll(reports) === next) {
        ring.use(next)
        log.info({ key: next, before }, 'every node has this master key; it seals from now on')
      }
    }
    if (await this.#tell(reports, ring.seals())) reports = await this.#ports.nodes.list()
    return reports
  }

  /** At the start, before anything is sealed. Returns what it saw. @throws Fault `seal_key_missing` when a node that serves seals with a key that is not here */
  async join(): Promise<readonly NodeReport[]> {
    const { ring } = this.#ports
    const reports = await this.look()
    const other = this.#others(reports).find(({ keyring }) => keyring !== null && !ring.ids().includes(keyring.seals))
    if (other?.keyring == null) return reports
    throw new Fault('seal_key_missing', {
      field: 'EVERGRANT_MASTER_KEYS',
      detail: `${nameOf(other)} seals with master key ${other.keyring.seals}, which is not in the keyring of this node. The keyring has ${ring.ids().join(', ')}. Give this node the same EVERGRANT_MASTER_KEYS and start again. Nothing was changed; no connection is lost.`,
    })
  }

  /** Live nodes that cannot open what this key seals; one that has not said is one of them. */
  lacking(reports: readonly NodeReport[], key: string): readonly NodeReport[] {
    return this.#others(reports).filter(({ keyring }) => keyring?.ids.includes(key) !== true)
  }

  #knownToAll(reports: readonly NodeReport[]): string | undefined {
    return this.#ports.ring.ids().find((id) => this.lacking(reports, id).length === 0)
  }

  #others(reports: readonly NodeReport[]): readonly NodeReport[] {
    return reports.filter(({ id, alive }) => alive && id !== this.#ports.node.id)
  }

  /** Writes only what the row does not say already. */
  async #tell(reports: readonly NodeReport[], seals: string): Promise<boolean> {
    const { nodes, node, ring, journal, about } = this.#ports
    const own: NodeKeyring = { ids: ring.ids(), seals, journal: journal() }
    const said = reports.find(({ id }) => id === node.id)
    const isSaid = same(said?.keyring, own) && same(said?.about, about)
    return isSaid ? false : nodes.tell(node, own, about)
  }
}

const same = (one: object | null | undefined, other: object): boolean => JSON.stringify(one ?? null) === JSON.stringify(other)

const nameOf = ({ id, about }: NodeReport): string =>
  about?.kind === 'command' ? `A command of the command line, running as ${id}, which ends by itself,` : `Node ${id}`
