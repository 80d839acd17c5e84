import type { Events } from '../audit/events.ts'
import type { ConnectionDetails } from '../connection/connection-service.ts'
import { connectionNotFound } from '../connection/connection-service.ts'
import type { Connections } from '../connection/connections.ts'
import { Fault } from '../fault/fault.ts'
import { type ConnectionId, newId, type OrganizationId } from '../ids.ts'
import { StoreOutage } from '../refresh/store-outage.ts'
import { RecentMap } from '../session/recent-map.ts'
import { type Clock, DAY, type Entropy, HOUR } from '../time.ts'
import { agentEvent } from './agent-caller.ts'
import { rulePolicy, type SelectableConnection, type WantedUse } from './agent-policy.ts'
import type { AgentStanding } from './agents.ts'
import type { Approval, Approvals } from './approvals.ts'
import type { InstallationStanding } from './installations.ts'
import type { UseCounter } from './use-counter.ts'

interface ConnectionAccessPorts {
  readonly connections: Pick<Connections, 'get'>
  readonly approvals: Pick<Approvals, 'ask' | 'standing'>
  readonly events: Pick<Events, 'append' | 'appendOnce'>
  readonly uses: Pick<UseCounter, 'countDay'>
  readonly clock: Clock
  readonly entropy: Entropy
  /** True while memory would have heard of every change. */
  readonly changesFresh: () => boolean
  /** How long memory may answer while the store is away, in milliseconds. */
  readonly withoutStoreMs: number
}

/** Connections whose owner, integration and tags are remembered. */
const REMEMBERED = 100_000
/** How long a use waits for somebody to approve it. */
const ASKED_MS = DAY

interface Known {
  readonly organization: OrganizationId
  readonly facts: SelectableConnection
}

/** May this program use this connection now? Its policy says so, and where that wants it, a person. */
export class ConnectionAccess {
  readonly #ports: ConnectionAccessPorts
  readonly #known = new RecentMap<ConnectionId, Known>(REMEMBERED)
  readonly #outage: StoreOutage
  #epoch = 0

  constructor(ports: ConnectionAccessPorts) {
    this.#ports = ports
    this.#outage = new StoreOutage(ports.clock, ports.withoutStoreMs)
  }

  /** True: allowed, without a question to anybody. False: ask {@link require}. Synchronous: the hot path. */
  peek(standing: InstallationStanding, connection: ConnectionId, wanted: WantedUse): boolean {
    const facts = this.#remembered(standing.agent.organization, connection)
    if (facts === undefined || standing.agent.status !== 'verified') return false
    const ruling = rulePolicy(standing, facts, wanted)
    return ruling.kind === 'allowed' && !ruling.approval
  }

  /** @throws Fault `agent_not_verified`, `not_found`, `agent_policy_refused`, `approval_required`, `store_unavailable` */
  async require(standing: InstallationStanding, connection: ConnectionId, wanted: WantedUse): Promise<void> {
    requireVerified(standing)
    const facts = await this.#facts(standing.agent.organization, connection)
    const ruling = facts === undefined ? ({ kind: 'hidden' } as const) : rulePolicy(standing, facts, wanted)
    if (ruling.kind === 'hidden') throw connectionNotFound(connection)
    if (ruling.kind === 'refused') {
      await this.#noteRefusal(standing, connection, wanted, ruling.detail)
      throw new Fault('agent_policy_refused', { detail: ruling.detail })
    }
    if (ruling.approval && wanted.access !== 'look') await this.#requireApproval(standing, connection, wanted)
  }

  /** A connection changed. */
  forget(connection: ConnectionId): void {
    this.#epoch++
    this.#known.delete(connection)
  }

  /** Changes may have been missed. */
  forgetAll(): void {
    this.#epoch++
    this.#known.clear()
  }

  /** What a list of connections read anyway. */
  remember({ row: { connection } }: Pick<ConnectionDetails, 'row'>): SelectableConnection {
    const { id, owner, integration, tags, organization } = connection
    const facts = { id, owner, integration, tags }
    this.#known.set(id, { organization, facts })
    return facts
  }

  #remembered(organization: OrganizationId, connection: ConnectionId): SelectableConnection | undefined {
    const known = this.#known.get(connection)
    if (known === undefined || known.organization !== organization) return undefined
    if (this.#ports.changesFresh()) this.#outage.current()
    else if (!this.#outage.mayAnswerAtOnce()) return undefined
    return known.facts
  }

  async #facts(organization: OrganizationId, id: ConnectionId): Promise<SelectableConnection | undefined> {
    const remembered = this.#remembered(organization, id)
    if (remembered !== undefined) return remembered
    const epoch = this.#epoch
    try {
      const row = await this.#ports.connections.get(organization, id)
      this.#outage.current()
      if (row === undefined) return undefined
      const { owner, integration, tags } = row.connection
      const facts = { id, owner, integration, tags }
      if (epoch === this.#epoch) this.#known.set(id, { organization, facts })
      return facts
    } catch (error) {
      const known = this.#known.get(id)
      if (known?.organization !== organization || !this.#outage.mayAnswerFor(error)) throw error
      return known.facts
    }
  }

  /** A person approves it once for a while; each use until then is written down. */
  async #requireApproval(standing: InstallationStanding, connection: ConnectionId, wanted: WantedUse): Promise<void> {
    const { installation, agent } = standing
    const { approvals, events } = this.#ports
    const approval = (await approvals.standing(installation.id, connection)) ?? (await this.#ask(standing, connection, wanted))
    if (approval.status === 'approved') {
      const data = { agent: agent.id, approval: approval.id, ...usedBy(wanted) }
      await events.append(this.#event('agent.connection_used', standing, connection, data))
      return
    }
    throw new Fault('approval_required', {
      detail: 'A person has to approve that this program uses this connection. Ask again after somebody did; the approval is asked for already.',
      members: { approval: approval.id },
    })
  }

  #ask(standing: InstallationStanding, connection: ConnectionId, wanted: WantedUse): Promise<Approval> {
    const { installation, agent } = standing
    const at = this.#ports.clock.wall()
    const { host, platform } = installation.hints
    const shown = {
      agent: agent.name,
      installation: installation.name,
      key_thumbprint: installation.keyThumbprint,
      host,
      platform,
      address: installation.address,
      ...usedBy(wanted),
    }
    const asked: Approval = {
      id: newId('apr', this.#ports.entropy),
      organization: agent.organization,
      kind: 'use',
      agent: agent.id,
      installation: installation.id,
      connection,
      attempt: null,
      status: 'pending',
      shown,
      askedAt: at,
      decidedAt: null,
      decidedBy: null,
      expiresAt: at + ASKED_MS,
    }
    return this.#ports.approvals.ask(asked, this.#event('approval.asked', standing, connection, { approval: asked.id, kind: 'use', ...usedBy(wanted) }))
  }

  async #noteRefusal(standing: InstallationStanding, connection: ConnectionId, wanted: WantedUse, detail: string): Promise<void> {
    const { installation, agent } = standing
    this.#ports.uses.countDay(installation.id, agent.id, { refusedUses: 1 })
    const event = this.#event('agent.use_refused', standing, connection, { installation: installation.id, detail })
    // A program in a loop says nothing new: the day's count has each one. The refusal stands, whether or not it can be written down.
    const told = `use refused ${installation.id} ${connection} ${wanted.access} ${Math.floor(this.#ports.clock.wall() / HOUR)}`
    await this.#ports.events.appendOnce(told, event).catch(() => {})
  }

  #event(
    type: 'agent.connection_used' | 'agent.use_refused' | 'approval.asked',
    { agent, installation }: InstallationStanding,
    connection: ConnectionId,
    data: Parameters<typeof agentEvent>[1]['data'],
  ) {
    const actor = { kind: 'installation', id: installation.id } as const
    return agentEvent(this.#ports, { type, organization: agent.organization, actor, subject: agent.id, connection, ...(data === undefined ? {} : { data }) })
  }
}

function usedBy(wanted: WantedUse): Readonly<Record<string, string>> {
  return wanted.access === 'proxy' ? { access: 'proxy', method: wanted.method } : { access: wanted.access }
}

/** @throws Fault `agent_not_verified` */
export function requireVerified({ agent }: AgentStanding): void {
  if (agent.status === 'verified') return
  throw new Fault('agent_not_verified', {
    detail: `The agent ${agent.name} waits for its owner to accept it: POST agents/${agent.id}/accept, or evergrant agents accept ${agent.id}.`,
  })
}
