import { requireRecentProof } from '../core/session/recent-proof.ts'
import type { Clock } from '../core/time.ts'
import type { Governor } from '../core/user/governor.ts'
import type { Caller } from './services.ts'

/** Who administers users in this request. A key counts as an administrator, the command line of this machine as an owner. */
export function governorOf({ organization, actor, person }: Caller): Governor {
  if (person !== null) return { organization, actor, role: person.role, user: person.user.id }
  return { organization, actor, role: actor.kind === 'cli' ? 'owner' : 'admin', user: null }
}

/** For changes that give power or cannot be undone: a person proves again who they are; a backend has its key. @throws Fault `reauthentication_required` */
export function requireRecent({ person }: Caller, clock: Pick<Clock, 'wall'>): void {
  if (person !== null) requireRecentProof(person, clock.wall())
}
