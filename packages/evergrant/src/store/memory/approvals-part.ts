import type { Approval, Approvals } from '../../core/agent/approvals.ts'
import type { NewEvent } from '../../core/audit/event.ts'
import type { ApprovalId, ConnectionId, InstallationId, OrganizationId } from '../../core/ids.ts'
import type { Tables } from './tables.ts'

function newestFirst(tables: Tables): Approval[] {
  return [...tables.approvals.values()].sort((left, right) => (left.id < right.id ? 1 : -1))
}

function use(tables: Tables, installation: InstallationId, connection: ConnectionId, statuses: readonly Approval['status'][]): Approval | undefined {
  return newestFirst(tables).find(
    (one) => one.installation === installation && one.connection === connection && statuses.includes(one.status) && one.expiresAt > tables.now(),
  )
}

function ask(tables: Tables, approval: Approval, event: NewEvent): Approval {
  if (approval.connection === null) throw new Error('only the use of a connection is asked for here')
  const standing = use(tables, approval.installation, approval.connection, ['pending', 'approved'])
  if (standing !== undefined) return standing
  tables.approvals.set(approval.id, approval)
  tables.append(event)
  return approval
}

function get(tables: Tables, organization: OrganizationId, id: ApprovalId): Approval | undefined {
  const found = tables.approvals.get(id)
  return found?.organization === organization ? found : undefined
}

function decide(
  tables: Tables,
  organization: OrganizationId,
  id: ApprovalId,
  { status, by, expiresAt }: Parameters<Approvals['decide']>[2],
  event: NewEvent,
): 'decided' | 'already' | 'gone' {
  const found = get(tables, organization, id)
  if (found === undefined) return 'gone'
  if (found.status !== 'pending') return 'already'
  if (found.expiresAt <= tables.now()) return 'gone'
  tables.approvals.set(id, { ...found, status, decidedAt: tables.now(), decidedBy: by, expiresAt })
  tables.append(event)
  return 'decided'
}

export function approvalsPart(tables: Tables): Approvals {
  return {
    ask: async (approval, event) => ask(tables, approval, event),
    get: async (organization, id) => get(tables, organization, id),
    list: async (organization, { status, owner, limit, after }) =>
      newestFirst(tables)
        .filter(
          (one) =>
            one.organization === organization &&
            (after === null || one.id < after) &&
            (owner === undefined || tables.agents.get(one.agent)?.owner === owner) &&
            (status === undefined || (one.status === status && (status !== 'pending' || one.expiresAt > tables.now()))),
        )
        .slice(0, limit),
    decide: async (organization, id, decision, event) => decide(tables, organization, id, decision, event),
    standing: async (installation, connection) => use(tables, installation, connection, ['approved']),
    purge: async (before, limit) => {
      const old = [...tables.approvals.values()].filter((one) => one.expiresAt < before).slice(0, limit)
      for (const { id } of old) tables.approvals.delete(id)
      return old.length
    },
  }
}
