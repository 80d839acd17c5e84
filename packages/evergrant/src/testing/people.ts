import { newConnection } from '../core/connection/new-connection.ts'
import { type ConnectionId, newId, type OrganizationId, type UserId } from '../core/ids.ts'
import type { SessionMode } from '../core/session/session.ts'
import type { Opened, SessionService } from '../core/session/session-service.ts'
import type { Clock } from '../core/time.ts'
import type { Role, User } from '../core/user/user.ts'
import type { Store } from '../store/index.ts'
import { systemEntropy } from '../system.ts'

/** Where people are made: a lab, or a whole node. */
export interface PeoplePlace {
  readonly store: Pick<Store, 'users'>
  readonly services: { readonly sessions: SessionService; readonly clock: Clock }
}

/** Somebody who is signed in. */
export interface SignedInPerson {
  readonly user: User
  readonly id: UserId
  /** The access token. */
  readonly token: string
  readonly refreshToken: string
  readonly opened: Opened
}

interface WantedPerson {
  readonly role: Role
  readonly organization: OrganizationId
  readonly externalId?: string | null
  readonly email?: string
  readonly name?: string
  readonly mode?: SessionMode
}

/** A new member with a session of their own, stored as sign-up and sign-in would. */
export async function signIn({ store, services }: PeoplePlace, wanted: WantedPerson): Promise<SignedInPerson> {
  const user = await newMember({ store, services }, wanted)
  return openFor({ services }, user, wanted)
}

export async function newMember({ store, services }: PeoplePlace, { role, organization, externalId = null, email, name = 'Ana' }: WantedPerson): Promise<User> {
  const at = services.clock.wall()
  const id = newId('usr', systemEntropy)
  const user: User = {
    id,
    email: email ?? `${id}@example.com`,
    emailVerifiedAt: at,
    name,
    externalId,
    passwordHash: null,
    passwordChangedAt: null,
    disabledAt: null,
    createdAt: at,
    updatedAt: at,
    version: 1,
  }
  const actor = { kind: 'cli', id: null } as const
  const event = { id: newId('evt', systemEntropy), organization, type: 'user.created' as const, at, actor, connection: null, subject: id, data: {} }
  const inserted = await store.users.insert(user, { organization, user: id, role, createdAt: at }, null, event)
  if (inserted !== 'inserted') throw new Error(`the person was not stored: ${inserted}`)
  return user
}

export async function openFor(
  { services }: Pick<PeoplePlace, 'services'>,
  user: User,
  { organization, mode = 'bearer' }: Pick<WantedPerson, 'organization' | 'mode'>,
): Promise<SignedInPerson> {
  const opened = await services.sessions.open({ user, organization, mode, methods: ['pwd'], userAgent: 'test browser', address: '192.0.2.1' })
  return { user, id: user.id, token: opened.accessToken, refreshToken: opened.refreshCredential, opened }
}

/** A stored connection of an owner with nothing to renew: for what is about whose it is. */
export async function connectionOf(
  store: Pick<Store, 'connections'>,
  of: { readonly organization: OrganizationId; readonly integration: `int_${string}`; readonly owner: string; readonly account?: string | null },
): Promise<ConnectionId> {
  const at = 1_700_000_000_000
  const id = newId('con', systemEntropy)
  const { organization, integration, owner, account = null } = of
  const connection = newConnection(at, { id, organization, integration, owner, account })
  const credential = {
    accessToken: null,
    refreshToken: null,
    fingerprint: null,
    tokenType: 'Bearer',
    obtainedAt: at,
    accessExpiresAt: null,
    refreshExpiresAt: null,
    softAt: null,
    hardAt: null,
  }
  const event = {
    id: newId('evt', systemEntropy),
    organization,
    type: 'connection.created' as const,
    at,
    actor: { kind: 'cli', id: null } as const,
    connection: id,
    subject: null,
    data: {},
  }
  const outcome = await store.connections.insert({ connection, credential, dueAt: null, event })
  if (outcome.kind !== 'inserted') throw new Error('the connection was not stored')
  return id
}
