import type { Actor, NewEvent } from '../../audit/event.ts'
import type { Events } from '../../audit/events.ts'
import type { Connections, Page, PageRequest } from '../../connection/connections.ts'
import { Fault } from '../../fault/fault.ts'
import type { AgentId, EventId, IncidentId, OrganizationId } from '../../ids.ts'
import type { Log } from '../../log.ts'
import { type Clock, DAY, type Entropy, type Instant, MINUTE } from '../../time.ts'
import { type AgentCaller, agentEvent, agentNotFound, requireOwn } from '../agent-caller.ts'
import type { AgentStanding, Agents } from '../agents.ts'
import type { StoredIncident } from '../incident.ts'
import type { Incidents } from '../incidents.ts'
import type { Installations } from '../installations.ts'
import type { TrustSnapshot, TrustSnapshots } from '../trust-snapshots.ts'
import type { Uses } from '../uses.ts'
import { CAUSES, DELTA_MS, explain, type TrustExplanation } from './explain.ts'
import { observedFacts, observedSince, type UsedConnection } from './observed-facts.ts'
import { TRUST_POLICY_VERSION, trustPolicy } from './policy.ts'
import { score } from './score.ts'

interface TrustPorts {
  readonly agents: Pick<Agents, 'get'>
  readonly installations: Pick<Installations, 'get'>
  readonly uses: Pick<Uses, 'ofAgent'>
  readonly connections: Pick<Connections, 'get'>
  readonly events: Pick<Events, 'append' | 'list'>
  readonly incidents: Incidents
  readonly snapshots: TrustSnapshots
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
  readonly log: Pick<Log, 'warn'>
}

/** What somebody wrote about an agent. It moves no number: it stands beside it. */
export interface TrustNote {
  readonly id: EventId
  readonly at: Instant
  readonly by: Actor
  readonly text: string
}

interface ExplainedTrust {
  readonly explanation: TrustExplanation
  /** Newest first, the last ten. */
  readonly notes: readonly TrustNote[]
}

/** Events that may be named as causes. */
const CAUSES_MAX = 100
const NOTES_SHOWN = 10
/** Connections that are looked up to see which rights were used; the most used ones come first. */
const LOOKED_UP_MAX = 200
const EVERY_MS = DAY
/** Who takes a snapshot and stops on the way is followed by somebody else after this. */
const VISIBILITY_MS = 10 * MINUTE
const BATCH = 50

/** The trust score of agents, as people read it; and what they say about incidents. It is read by people and by nobody else. docs/decisions/0043. */
export class TrustService {
  readonly #ports: TrustPorts

  constructor(ports: TrustPorts) {
    this.#ports = ports
  }

  /** As it is now, from facts that are read now. @throws Fault `not_found` */
  async explain(caller: AgentCaller, id: AgentId): Promise<ExplainedTrust> {
    const standing = await this.#own(caller, id)
    const { agent } = standing
    const { snapshots } = this.#ports
    const now = this.#ports.clock.wall()
    const [{ result }, before, notes] = await Promise.all([
      this.#snapshotOf(standing, now),
      snapshots.firstSince(id, now - DELTA_MS),
      this.#notes(agent.organization, id),
    ])
    const of = { organization: agent.organization, agent: id, owner: agent.owner }
    const events = before === undefined ? [] : await snapshots.happened(of, CAUSES, before.at, CAUSES_MAX)
    const names = await this.#names(events.flatMap(({ subject }) => (subject === null ? [] : [subject])))
    return { explanation: explain(result, before?.result ?? null, events, (subject) => names.get(subject) ?? subject), notes }
  }

  /** Newest first. @throws Fault `not_found` */
  async history(caller: AgentCaller, id: AgentId, page: { readonly limit: number; readonly before: Instant | null }): Promise<readonly TrustSnapshot[]> {
    await this.#own(caller, id)
    return this.#ports.snapshots.history(id, page)
  }

  /** Newest first. @throws Fault `not_found` */
  async incidents(caller: AgentCaller, id: AgentId, page: { readonly limit: number; readonly after: IncidentId | null }): Promise<readonly StoredIncident[]> {
    await this.#own(caller, id)
    return this.#ports.incidents.ofAgent(id, page)
  }

  /** Says that its cause is gone. The first closure stays: repeating it answers with that one. @throws Fault `not_found` */
  async closeIncident(caller: AgentCaller, id: IncidentId, note: string): Promise<StoredIncident> {
    const { incidents, clock } = this.#ports
    const found = await this.#incident(caller, id)
    const closure = { at: clock.wall(), by: caller.actor, note }
    const event = this.#event(caller, 'incident.closed', found.agent, { incident: id, kind: found.kind, installation: found.installation, note })
    if ((await incidents.close(caller.organization, id, closure, event)) === 'closed') await this.#take(caller.organization, found.agent)
    return this.#incident(caller, id)
  }

  /** Dated, signed with who wrote it, and never changed. @throws Fault `not_found` */
  async note(caller: AgentCaller, id: AgentId, text: string): Promise<TrustNote> {
    await this.#own(caller, id)
    const event = this.#event(caller, 'agent.noted', id, { note: text })
    await this.#ports.events.append(event)
    return { id: event.id, at: event.at, by: event.actor, text }
  }

  /** Takes the snapshots that are due. True when there may be more. */
  async work(): Promise<boolean> {
    const due = await this.#ports.snapshots.takeDue(BATCH, VISIBILITY_MS)
    for (const { organization, agent } of due) await this.#take(organization, agent)
    return due.length === BATCH
  }

  /** One that cannot be taken is due again after a while: it keeps nobody waiting, and undoes no closure. */
  async #take(organization: OrganizationId, agent: AgentId): Promise<void> {
    const { agents, snapshots, clock, log } = this.#ports
    try {
      const standing = await agents.get(organization, agent)
      if (standing === undefined) return
      const now = clock.wall()
      await snapshots.save(await this.#snapshotOf(standing, now), now + EVERY_MS)
    } catch (error) {
      log.warn({ agent, error: String(error) }, 'the trust score of an agent could not be computed; it is tried again in ten minutes')
    }
  }

  async #snapshotOf(standing: AgentStanding, now: Instant): Promise<TrustSnapshot> {
    const { agent } = standing
    const policy = trustPolicy(TRUST_POLICY_VERSION)
    const [seen, used] = await Promise.all([
      this.#ports.snapshots.observe(agent.id, now, observedSince(policy, now)),
      this.#used(standing, now - policy.windowMs),
    ])
    const facts = observedFacts(standing, seen, used, policy, now)
    return { agent: agent.id, at: now, facts, result: score(facts, now, policy.version) }
  }

  async #used({ agent }: AgentStanding, since: Instant): Promise<readonly UsedConnection[]> {
    if (agent.policy.connections.length === 0) return []
    const uses = (await this.#ports.uses.ofAgent(agent.id, since)).slice(0, LOOKED_UP_MAX)
    const found = await Promise.all(uses.map(({ connection }) => this.#ports.connections.get(agent.organization, connection)))
    return uses.flatMap(({ access }, index) => {
      const connection = found[index]?.connection
      return connection === undefined ? [] : [{ access, connection }]
    })
  }

  async #names(subjects: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const ids = [...new Set(subjects)].filter((subject) => subject.startsWith('ins_')).slice(0, NOTES_SHOWN)
    const found = await Promise.all(ids.map((id) => this.#ports.installations.get(id as `ins_${string}`)))
    return new Map(found.flatMap((one) => (one === undefined ? [] : [[one.installation.id, one.installation.name] as const])))
  }

  async #notes(organization: OrganizationId, agent: AgentId): Promise<readonly TrustNote[]> {
    const page: PageRequest = { limit: NOTES_SHOWN, cursor: null }
    const found: Page<NewEvent> = await this.#ports.events.list(organization, { subject: agent, type: 'agent.noted' }, page)
    return found.items.map(({ id, at, actor, data }) => ({ id, at, by: actor, text: String(data.note) }))
  }

  /** Somebody else's agent is answered as one that never was. */
  async #own(caller: AgentCaller, id: AgentId): Promise<AgentStanding> {
    const found = await this.#ports.agents.get(caller.organization, id)
    if (found === undefined) throw agentNotFound(id)
    requireOwn(caller, found.agent)
    return found
  }

  async #incident(caller: AgentCaller, id: IncidentId): Promise<StoredIncident> {
    const nowhere = () =>
      new Fault('not_found', { field: 'id', detail: `There is no incident ${id} in this organization. GET agents/{id}/incidents lists them.` })
    const found = await this.#ports.incidents.get(caller.organization, id)
    if (found === undefined) throw nowhere()
    const standing = await this.#ports.agents.get(caller.organization, found.agent)
    if (standing === undefined || (caller.own !== null && standing.agent.owner !== caller.own.user)) throw nowhere()
    return found
  }

  #event({ organization, actor }: AgentCaller, type: 'incident.closed' | 'agent.noted', subject: AgentId, data: NewEvent['data']): NewEvent {
    return agentEvent(this.#ports, { type, organization, actor, subject, data })
  }
}
