import type { Actor } from '../audit/event.ts'
import { Fault } from '../fault/fault.ts'
import type { OrganizationId, UserId } from '../ids.ts'
import { mayAssign } from './roles.ts'
import type { Membership, Role } from './user.ts'
import type { Decision, Member, Users } from './users.ts'

/** Who administers users: a person by their role, or a backend whose key says `admin`. */
export interface Governor {
  readonly organization: OrganizationId
  readonly actor: Actor
  /** A key counts as an `admin`: owners alone make owners. */
  readonly role: Role
  /** Null: a backend, which is at home in its own organization alone. */
  readonly user: UserId | null
}

/** The person as a member of the governor's organization. @throws Fault `not_found`, the same for everybody who is not in it */
export async function memberOf(users: Pick<Users, 'get' | 'membershipsOf'>, organization: OrganizationId, id: UserId): Promise<Member> {
  const [user, memberships] = await Promise.all([users.get(id), users.membershipsOf(id)])
  const membership = memberships.find((one) => one.organization === organization)
  if (user === undefined || membership === undefined) throw userNotFound(id)
  return { user, membership }
}

/** What the governor decides by, for the write. */
export function decisionOf({ user, role }: Governor, { role: held }: Pick<Membership, 'role'>): Decision {
  return { held, by: user === null ? null : { user, role } }
}

/** The governor may decide about this member of the organization. @throws Fault `role_missing` */
export function requireGovern(governor: Governor, { role }: Pick<Membership, 'role'>): void {
  if (mayAssign(governor.role, role)) return
  throw new Fault('role_missing', { detail: `The role \`${governor.role}\` decides nothing about a person with the role \`${role}\`.` })
}

/**
 * The governor may decide about the person as a whole: in every organization they belong to. Else one organization would reach into
 * another, by a name that owns connections there. Returns these organizations, for the write: they may join one more meanwhile.
 * @throws Fault `role_missing`
 */
export async function requireGovernWhole(users: Pick<Users, 'membershipsOf'>, governor: Governor, id: UserId): Promise<readonly OrganizationId[]> {
  const theirs = await users.membershipsOf(id)
  const own = governor.user === null ? [] : await users.membershipsOf(governor.user)
  for (const { organization, role } of theirs) {
    const power = organization === governor.organization ? governor.role : own.find((one) => one.organization === organization)?.role
    if (power !== undefined && mayAssign(power, role)) continue
    if (organization === governor.organization) requireGovern(governor, { role })
    throw new Fault('role_missing', {
      detail:
        'This person also belongs to an organization that you do not administer. Remove them from this one instead: DELETE organizations/{id}/members/{user}.',
    })
  }
  return theirs.map(({ organization }) => organization)
}

export function userNotFound(id: string): Fault {
  return new Fault('not_found', { detail: `There is no user ${id} in this organization. GET users lists them.` })
}
