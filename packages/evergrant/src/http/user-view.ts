import { Type } from 'typebox'
import { ownerOf, ROLES, type Role } from '../core/user/user.ts'
import type { Member } from '../core/user/users.ts'
import { UserView } from './auth/session-answer.ts'
import { iso, isoOrNull } from './connection-view.ts'
import { nullable, Time } from './schema.ts'

export const RoleSchema = Type.Unsafe<Role>({
  type: 'string',
  enum: [...ROLES],
  description: 'What the person may do here: owner, admin, operator, member or viewer.',
})

/** A person as those who administer them see them. */
export const MemberView = Type.Object({
  id: Type.String(),
  email: UserView.properties.email,
  email_verified: Type.Boolean(),
  name: nullable(Type.String()),
  external_id: nullable(Type.String({ description: "The application's own name for this person." })),
  owner: UserView.properties.owner,
  role: Type.String(),
  disabled_at: nullable(Time),
  member_since: Time,
  created_at: Time,
  updated_at: Time,
})

export function memberView({ user, membership }: Member) {
  return {
    id: user.id,
    email: user.email,
    email_verified: user.emailVerifiedAt !== null,
    name: user.name,
    external_id: user.externalId,
    owner: ownerOf(user),
    role: membership.role,
    disabled_at: isoOrNull(user.disabledAt),
    member_since: iso(membership.createdAt),
    created_at: iso(user.createdAt),
    updated_at: iso(user.updatedAt),
  }
}
