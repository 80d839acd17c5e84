import type { NewEvent } from '../../core/audit/event.ts'
import type { SessionId, UserId } from '../../core/ids.ts'
import { judgeInput, misplaced } from '../../core/session/presentation.ts'
import type { Session, SessionEnd } from '../../core/session/session.ts'
import type { EndScope, PresentationInput, Presented, Sessions, SignedIn } from '../../core/session/sessions.ts'
import type { Instant } from '../../core/time.ts'
import type { Tables } from './tables.ts'

interface Ending {
  readonly end: SessionEnd
  readonly at: Instant
}

/** A branch of a session that is over is over from its beginning. */
function open(tables: Tables, session: Session, event: NewEvent): void {
  if (!tables.people.has(session.user)) throw new Error(`${session.user} is not stored`)
  if (!tables.organizations.has(session.organization)) throw new Error(`${session.organization} is not stored`)
  if (tables.personSessions.has(session.id)) throw new Error(`${session.id} is stored already`)
  tables.personSessions.set(session.id, { ...session, ...endOfParent(tables, session) })
  tables.append(event)
}

function endOfParent(tables: Tables, { parent, createdAt }: Session): Pick<Session, 'revokedAt' | 'end'> | null {
  if (parent === null) return null
  const found = tables.personSessions.get(parent)
  if (found === undefined) return { revokedAt: createdAt, end: 'signed_out' }
  return found.revokedAt === null ? null : { revokedAt: found.revokedAt, end: found.end }
}

function get(tables: Tables, id: SessionId): SignedIn | undefined {
  const session = tables.personSessions.get(id)
  const user = session === undefined ? undefined : tables.people.get(session.user)
  if (session === undefined || user === undefined) return undefined
  const role = tables.memberships.get(`${session.organization} ${user.id}`)?.role ?? null
  const demanding = tables.organizations.get(session.organization)?.requireSecondFactor ?? []
  return { session, user, role, factorDemanded: role !== null && demanding.includes(role) }
}

function present(tables: Tables, input: PresentationInput): Presented {
  const signedIn = get(tables, input.session)
  if (signedIn === undefined) return { kind: 'unknown' }
  const why = misplaced(signedIn.session, input.shown)
  if (why !== null) return { kind: 'refused', why }
  const at = tables.now()
  const { judgement, session, write, event } = judgeInput(signedIn.session, input, at)
  if (write === 'end') endRows(tables, withBranches(tables, [deviceOf(tables, session)]), { end: 'reuse_detected', at })
  if (write === 'rotation') change(tables, session.id, session)
  if (write === 'recent') tables.personSessions.set(session.id, session)
  if (event !== null) tables.append(event)
  return { kind: 'known', judgement, signedIn: { ...signedIn, session } }
}

/** False when there is no such session, or none that is not revoked. */
function change(tables: Tables, id: SessionId, changes: Partial<Session>): boolean {
  const session = tables.personSessions.get(id)
  if (session === undefined || session.revokedAt !== null) return false
  tables.personSessions.set(id, { ...session, ...changes })
  tables.changed({ kind: 'session', session: id })
  return true
}

function withBranches(tables: Tables, roots: readonly SessionId[], without: ReadonlySet<SessionId> = new Set()): ReadonlySet<SessionId> {
  const found = new Set(roots.filter((id) => !without.has(id)))
  for (let before = -1; before !== found.size; ) {
    before = found.size
    for (const { id, parent, revokedAt } of tables.personSessions.values())
      if (parent !== null && revokedAt === null && found.has(parent) && !without.has(id)) found.add(id)
  }
  return found
}

/** The session that all tabs of the device came from; its row may be gone. */
function deviceOf(tables: Tables, { id, parent }: Pick<Session, 'id' | 'parent'>): SessionId {
  if (parent === null) return id
  const above = tables.personSessions.get(parent)
  return above === undefined ? parent : deviceOf(tables, above)
}

function endRows(tables: Tables, ids: Iterable<SessionId>, { end, at }: Ending): void {
  for (const id of ids) change(tables, id, { revokedAt: at, end })
}

const isLive = ({ revokedAt, idleExpiresAt, expiresAt }: Session, now: Instant): boolean => revokedAt === null && idleExpiresAt > now && expiresAt > now

/** Returns those that were live. Those past their lifetime end, too: a clock that was ahead may come back. */
export function endOfUser(tables: Tables, user: UserId, { organization, except }: EndScope, ending: Ending): readonly SessionId[] {
  const kept = except === null ? new Set<SessionId>() : withBranches(tables, [except])
  const open = [...tables.personSessions.values()].filter((session) => session.user === user && session.revokedAt === null)
  const roots = open.filter((session) => organization === null || session.organization === organization).map(({ id }) => id)
  const ended = withBranches(tables, roots, kept)
  const live = open.filter((session) => ended.has(session.id) && isLive(session, tables.now())).map(({ id }) => id)
  endRows(tables, ended, ending)
  return live.sort()
}

function end(tables: Tables, id: SessionId, ending: Ending, event: NewEvent): 'ended' | 'already' | 'gone' {
  const session = tables.personSessions.get(id)
  if (session === undefined) return 'gone'
  if (session.revokedAt !== null) return 'already'
  endRows(tables, withBranches(tables, [id]), ending)
  tables.append(event)
  return 'ended'
}

function purge(tables: Tables, before: Instant, limit: number): number {
  const over = [...tables.personSessions.values()].filter((session) => Math.min(session.idleExpiresAt, session.revokedAt ?? session.expiresAt) < before)
  for (const { id } of over.slice(0, limit)) tables.personSessions.delete(id)
  return Math.min(over.length, limit)
}

export function personSessionsPart(tables: Tables): Sessions {
  return {
    open: async (session, event) => open(tables, session, event),
    get: async (id) => get(tables, id),
    present: async (input) => present(tables, input),
    markUsed: async (marks) => {
      for (const { session: id, generation, at } of marks) {
        const session = tables.personSessions.get(id)
        if (session?.generation === generation && session.usedAt === null) tables.personSessions.set(id, { ...session, usedAt: at })
      }
    },
    listOf: async (user) =>
      [...tables.personSessions.values()]
        .filter((session) => session.user === user && isLive(session, tables.now()))
        .sort((left, right) => (left.id < right.id ? 1 : -1)),
    // How long ago a session was replaced is told by the clock that presentations are judged by.
    end: async (id, why, at, event) => end(tables, id, { end: why, at: why === 'replaced' ? tables.now() : at }, event),
    endAll: async (user, scope, why, at, event) => {
      const ended = endOfUser(tables, user, scope, { end: why, at })
      if (ended.length > 0) tables.append(event)
      return ended
    },
    reauthenticated: async (id, methods, at) => void change(tables, id, { methods, authenticatedAt: at }),
    switchOrganization: async (id, organization) => void change(tables, id, { organization }),
    purge: async (before, limit) => purge(tables, before, limit),
  }
}
