import type { Connections } from '../connection/connections.ts'
import { Fault } from '../fault/fault.ts'
import type { ApprovalId, UserId } from '../ids.ts'
import { type Clock, DAY, type Entropy } from '../time.ts'
import { type AgentCaller, agentEvent, requireGiving } from './agent-caller.ts'
import { accessOf, selects } from './agent-policy.ts'
import type { Agents } from './agents.ts'
import type { Approval, Approvals } from './approvals.ts'

interface ApprovalPorts {
  readonly approvals: Approvals
  readonly agents: Pick<Agents, 'get'>
  readonly connections: Pick<Connections, 'get'>
  readonly clock: Pick<Clock, 'wall'>
  readonly entropy: Entropy
}

/** An approved recovery waits for so long for its machine to ask again. */
const RECOVERY_APPROVED_MS = DAY

/** What waits for a person: recoveries, and uses of sensitive connections. */
export class ApprovalService {
  readonly #ports: ApprovalPorts

  constructor(ports: ApprovalPorts) {
    this.#ports = ports
  }

  /** Newest first. */
  list(
    { organization, own }: AgentCaller,
    filter: { readonly status?: Approval['status']; readonly limit: number; readonly after: ApprovalId | null },
  ): Promise<readonly Approval[]> {
    const owner: { readonly owner?: UserId } = own === null ? {} : { owner: own.user }
    return this.#ports.approvals.list(organization, { ...filter, ...owner })
  }

  /** @throws Fault `not_found` */
  async get({ organization, own }: AgentCaller, id: ApprovalId): Promise<Approval> {
    const { approvals, agents } = this.#ports
    const found = await approvals.get(organization, id)
    if (found === undefined) throw approvalNotFound(id)
    if (own !== null && (await agents.get(organization, found.agent))?.agent.owner !== own.user) throw approvalNotFound(id)
    return found
  }

  /** @throws Fault `not_found`; `role_missing`; `conflict` when somebody decided otherwise, or its time is over */
  async decide(caller: AgentCaller, id: ApprovalId, status: 'approved' | 'denied'): Promise<Approval> {
    const { approvals, clock } = this.#ports
    const asked = await this.get(caller, id)
    if (status === 'approved' && asked.kind === 'use') await this.#requireApproving(caller, asked)
    const at = clock.wall()
    const holdsUntil = at + (asked.kind === 'use' ? await this.#holdsMs(asked) : RECOVERY_APPROVED_MS)
    const event = agentEvent(this.#ports, {
      type: status === 'approved' ? 'approval.approved' : 'approval.denied',
      organization: caller.organization,
      actor: caller.actor,
      subject: asked.agent,
      data: { approval: id, kind: asked.kind, installation: asked.installation },
      connection: asked.connection,
    })
    const outcome = await approvals.decide(caller.organization, id, { status, by: caller.actor, expiresAt: holdsUntil }, event)
    if (outcome === 'gone') throw new Fault('conflict', { detail: 'The time of this approval is over. The program asks again by itself when it needs it.' })
    const now = await this.get(caller, id)
    if (outcome === 'decided' || now.status === status) return now
    throw new Fault('conflict', { detail: `Somebody has decided already: it is ${now.status}.` })
  }

  /** An approval holds for every way that the policy gives, so whoever gives it has them all. What the whole organization asks about is not answered by the owner alone. */
  async #requireApproving(caller: AgentCaller, { organization, agent: id, connection }: Approval): Promise<void> {
    const { agents, connections } = this.#ports
    const standing = await agents.get(organization, id)
    if (standing === undefined) return
    requireGiving(caller, accessOf(standing), 'id')
    const held = standing.agent.policyRecord.approval
    const found = caller.own === null || connection === null || held.length === 0 ? undefined : await connections.get(organization, connection)
    if (found === undefined || !selects(held, found.connection)) return
    throw new Fault('role_missing', {
      field: 'id',
      detail: 'Somebody who looks after the whole organization wants this use approved, and your role reaches only what is your own. Ask an administrator.',
    })
  }

  async #holdsMs({ organization, agent }: Approval): Promise<number> {
    const standing = await this.#ports.agents.get(organization, agent)
    return standing?.agent.policy.approvalMs ?? 0
  }
}

function approvalNotFound(id: ApprovalId): Fault {
  return new Fault('not_found', { field: 'id', detail: `There is no approval ${id} in this organization. GET approvals lists them.` })
}
