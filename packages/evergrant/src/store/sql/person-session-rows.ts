import type { OrganizationId, SessionId, UserId } from '../../core/ids.ts'
import type { AuthMethod, RecentGeneration, Session, SessionEnd, SessionMode } from '../../core/session/session.ts'
import type { SignedIn } from '../../core/session/sessions.ts'
import type { Role } from '../../core/user/user.ts'
import type { Row, SqlValue } from './program.ts'
import { integer, integerOrNull, json, text, textOrNull } from './rows.ts'
import { PERSON, toUser } from './user-rows.ts'

/** Of a row of `session s`; `look_at` is the purge's own. */
const COLUMNS = [
  'id',
  'organization_id',
  'user_id',
  'parent_id',
  'mode',
  'generation',
  'previous',
  'issued_at',
  'used_at',
  'recent',
  'created_at',
  'idle_expires_at',
  'expires_at',
  'revoked_at',
  'ended',
  'methods',
  'authenticated_at',
  'key_thumbprint',
  'user_agent',
  'address',
  'issuer',
] as const

export const PERSON_SESSION = COLUMNS.map((column) => `s.${column}`).join(', ')
export const INSERT_PERSON_SESSION = `insert into session (${COLUMNS.join(', ')}, look_at) values (${COLUMNS.map(() => '?').join(', ')}, ?)`

/** A session, who it is, and what they are now in its organization. */
export const SIGNED_IN = `${PERSON_SESSION}, ${PERSON}, m.role as m_role,
  (select o.require_second_factor from organization o where o.id = s.organization_id) as o_require_second_factor`
export const SIGNED_IN_TABLES = `session s join person p on p.id = s.user_id
  left join membership m on m.organization_id = s.organization_id and m.user_id = s.user_id`

export function personSessionValues(session: Session): readonly SqlValue[] {
  return [
    session.id,
    session.organization,
    session.user,
    session.parent,
    session.mode,
    session.generation,
    session.previous,
    session.issuedAt,
    session.usedAt,
    JSON.stringify(session.recent),
    session.createdAt,
    session.idleExpiresAt,
    session.expiresAt,
    session.revokedAt,
    session.end,
    JSON.stringify(session.methods),
    session.authenticatedAt,
    session.keyThumbprint,
    session.userAgent,
    session.address,
    session.issuer,
    lookAt(session),
  ]
}

/** Before this the purge need not look at it. A rotation leaves it as it is, so that it changes no index. */
export function lookAt(session: Pick<Session, 'idleExpiresAt' | 'expiresAt' | 'revokedAt'>): number {
  return Math.min(session.idleExpiresAt, session.expiresAt, session.revokedAt ?? Number.MAX_SAFE_INTEGER)
}

export function toPersonSession(row: Row): Session {
  return {
    id: text(row, 'id') as SessionId,
    organization: text(row, 'organization_id') as OrganizationId,
    user: text(row, 'user_id') as UserId,
    parent: textOrNull(row, 'parent_id') as SessionId | null,
    mode: text(row, 'mode') as SessionMode,
    generation: integer(row, 'generation'),
    previous: integerOrNull(row, 'previous'),
    issuedAt: integer(row, 'issued_at'),
    usedAt: integerOrNull(row, 'used_at'),
    recent: json<readonly RecentGeneration[]>(row, 'recent'),
    createdAt: integer(row, 'created_at'),
    idleExpiresAt: integer(row, 'idle_expires_at'),
    expiresAt: integer(row, 'expires_at'),
    revokedAt: integerOrNull(row, 'revoked_at'),
    end: textOrNull(row, 'ended') as SessionEnd | null,
    methods: json<readonly AuthMethod[]>(row, 'methods'),
    authenticatedAt: integer(row, 'authenticated_at'),
    keyThumbprint: textOrNull(row, 'key_thumbprint'),
    userAgent: textOrNull(row, 'user_agent'),
    address: textOrNull(row, 'address'),
    issuer: textOrNull(row, 'issuer'),
  }
}

export function toSignedIn(row: Row): SignedIn {
  const role = textOrNull(row, 'm_role') as Role | null
  const demanding = json<readonly Role[]>(row, 'o_require_second_factor')
  return { session: toPersonSession(row), user: toUser(row), role, factorDemanded: role !== null && demanding.includes(role) }
}
