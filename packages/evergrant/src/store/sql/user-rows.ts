import type { OrganizationId, UserId } from '../../core/ids.ts'
import type { Membership, Role, User } from '../../core/user/user.ts'
import type { Identity } from '../../core/user/users.ts'
import type { Row, SqlValue } from './program.ts'
import { integer, integerOrNull, text, textOrNull } from './rows.ts'

export const PERSON_COLUMNS = [
  'id',
  'email',
  'email_verified_at',
  'name',
  'external_id',
  'password_hash',
  'password_changed_at',
  'disabled_at',
  'created_at',
  'updated_at',
  'version',
] as const

/** The columns of `person p`, under names that no other table has. */
export const PERSON = PERSON_COLUMNS.map((column) => `p.${column} as p_${column}`).join(', ')

export function personValues(user: User): readonly SqlValue[] {
  return [
    user.id,
    user.email,
    user.emailVerifiedAt,
    user.name,
    user.externalId,
    user.passwordHash,
    user.passwordChangedAt,
    user.disabledAt,
    user.createdAt,
    user.updatedAt,
    user.version,
  ]
}

export function toUser(row: Row): User {
  return {
    id: text(row, 'p_id') as UserId,
    email: textOrNull(row, 'p_email'),
    emailVerifiedAt: integerOrNull(row, 'p_email_verified_at'),
    name: textOrNull(row, 'p_name'),
    externalId: textOrNull(row, 'p_external_id'),
    passwordHash: textOrNull(row, 'p_password_hash'),
    passwordChangedAt: integerOrNull(row, 'p_password_changed_at'),
    disabledAt: integerOrNull(row, 'p_disabled_at'),
    createdAt: integer(row, 'p_created_at'),
    updatedAt: integer(row, 'p_updated_at'),
    version: integer(row, 'p_version'),
  }
}

/** The columns of `membership m`, under names that no other table has. */
export const MEMBERSHIP = 'm.organization_id as m_organization_id, m.user_id as m_user_id, m.role as m_role, m.created_at as m_created_at'

export function toMembership(row: Row): Membership {
  return {
    organization: text(row, 'm_organization_id') as OrganizationId,
    user: text(row, 'm_user_id') as UserId,
    role: text(row, 'm_role') as Role,
    createdAt: integer(row, 'm_created_at'),
  }
}

export function toIdentity(row: Row): Identity {
  return { issuer: text(row, 'issuer'), subject: text(row, 'subject'), user: text(row, 'user_id') as UserId, createdAt: integer(row, 'created_at') }
}
