import type { UseCount, Uses } from '../agent/uses.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import { type Clock, HOUR } from '../time.ts'

const HOURS = 24
const ACTORS_NAMED = 3

interface NamedActor {
  readonly kind: UseCount['actor']['kind']
  readonly id: string
  /** Null: it is gone, or has no name. */
  readonly name: string | null
  readonly count: number
}

/** Who used a connection in the last 24 hours, and how often. */
export interface ConnectionUses {
  readonly connection: ConnectionId
  readonly requests: number
  /** One figure an hour, oldest first; the last is the hour that is not over. */
  readonly hours: readonly number[]
  /** Those that used it most. */
  readonly usedBy: readonly NamedActor[]
  /** How many used it at all. */
  readonly actors: number
}

interface ConnectionUsesPorts {
  readonly uses: Pick<Uses, 'byHour'>
  readonly clock: Pick<Clock, 'wall'>
  readonly nameOf: (organization: OrganizationId, actor: UseCount['actor']) => Promise<string | null>
}

/** For those that are asked for and were used; the others are left out. */
export async function connectionUses(
  { uses, clock, nameOf }: ConnectionUsesPorts,
  organization: OrganizationId,
  connections: readonly ConnectionId[],
): Promise<readonly ConnectionUses[]> {
  const now = clock.wall()
  const first = now - (now % HOUR) - (HOURS - 1) * HOUR
  const counted = await uses.byHour(organization, connections, first)
  const names = new Map<string, Promise<string | null>>()
  const named = (actor: UseCount['actor']): Promise<string | null> => {
    const known = names.get(actor.id) ?? nameOf(organization, actor)
    names.set(actor.id, known)
    return known
  }
  return Promise.all(
    connections
      .filter((id) => counted.some(({ connection }) => connection === id))
      .map(async (id) => {
        const own = counted.filter(({ connection }) => connection === id)
        const hours = Array.from({ length: HOURS }, () => 0)
        const actors = new Map<string, { readonly actor: UseCount['actor']; count: number }>()
        for (const { actor, hour, count } of own) {
          const at = (hour - first) / HOUR
          if (at >= 0 && at < HOURS) hours[at] = (hours[at] ?? 0) + count
          actors.set(actor.id, { actor, count: count + (actors.get(actor.id)?.count ?? 0) })
        }
        const most = [...actors.values()].sort((left, right) => right.count - left.count).slice(0, ACTORS_NAMED)
        const usedBy = await Promise.all(most.map(async ({ actor, count }) => ({ ...actor, name: await named(actor), count })))
        return { connection: id, requests: own.reduce((sum, { count }) => sum + count, 0), hours, usedBy, actors: actors.size }
      }),
  )
}
