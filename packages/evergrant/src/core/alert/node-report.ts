import type { OrganizationId } from '../ids.ts'
import { type Clock, MINUTE } from '../time.ts'
import type { AlertWatch } from './alert-watch.ts'
import type { Alerts } from './alerts.ts'
import { completeRules } from './rule.ts'
import { NOTHING, type Relief, type Signal } from './signals.ts'

/** What only the node itself knows. */
export interface NodeFacts {
  /** Answers of providers that are in its journal and not in the database. */
  readonly journal: number
  /** Sealed values that did not open lately for want of their key. */
  readonly unopened: number
}

interface NodeReportPorts {
  readonly watch: Pick<AlertWatch, 'report'>
  readonly alerts: Pick<Alerts, 'rules'>
  /** The organization whose operators look after nodes. */
  readonly organization: OrganizationId
  readonly node: string
  readonly facts: () => Promise<NodeFacts>
  readonly clock: Clock
}

/** A node tells of its own trouble: no other one can see it. */
export class NodeReport {
  readonly #ports: NodeReportPorts
  #journalSince: number | null = null

  constructor(ports: NodeReportPorts) {
    this.#ports = ports
  }

  async run(): Promise<void> {
    const { clock, organization, node, alerts, watch } = this.#ports
    const facts = await this.#ports.facts()
    this.#journalSince = facts.journal === 0 ? null : (this.#journalSince ?? clock.mono())
    const minutes = completeRules(await alerts.rules(organization)).find(({ kind }) => kind === 'journal_not_empty')?.minutes ?? 0
    const lasting = this.#journalSince !== null && clock.mono() - this.#journalSince >= minutes * MINUTE
    const common = { organization, subject: node, connection: null, at: clock.wall() }
    const signals: Signal[] = []
    const reliefs: Relief[] = []
    if (lasting) signals.push({ ...common, kind: 'journal_not_empty', cause: node, about: { ...NOTHING, name: node, value: facts.journal } })
    if (facts.journal === 0) reliefs.push({ organization, kinds: ['journal_not_empty'], subject: node })
    if (facts.unopened > 0) signals.push({ ...common, kind: 'seal_key_missing', cause: 'all', about: { ...NOTHING, value: facts.unopened } })
    else reliefs.push({ organization, kinds: ['seal_key_missing'], subject: node })
    await watch.report(organization, { signals, reliefs })
  }
}
