import assert from 'node:assert/strict'
import { newId, type UserId } from '../../core/ids.ts'
import type { Session } from '../../core/session/session.ts'
import type { PresentationInput, Presented } from '../../core/session/sessions.ts'
import { DAY } from '../../core/time.ts'
import type { Membership, Role, User } from '../../core/user/user.ts'
import type { Change } from '../contract.ts'
import { FUTURE, PAST, type TestOrganization } from './test-organization.ts'

export function newUser(org: TestOrganization, changes: Partial<User> = {}): User {
  const id = changes.id ?? newId('usr', org.context.entropy)
  return {
    id,
    email: `${id}@example.com`,
    emailVerifiedAt: null,
    name: 'Ana',
    externalId: null,
    passwordHash: '$argon2id$v=19$...',
    passwordChangedAt: PAST,
    disabledAt: null,
    createdAt: PAST,
    updatedAt: PAST,
    version: 1,
    ...changes,
  }
}

export function membershipOf(org: TestOrganization, user: UserId, role: Role): Membership {
  return { organization: org.organization, user, role, createdAt: PAST }
}

/** A stored person with a role in the organization. */
export async function person(org: TestOrganization, role: Role = 'member', changes: Partial<User> = {}): Promise<User> {
  const user = newUser(org, changes)
  assert.equal(await org.store.users.insert(user, membershipOf(org, user.id, role), null, org.event('user.created')), 'inserted')
  return user
}

/** Of generation 1, long ago: what is presented now is outside every window. */
export function newSession(org: TestOrganization, user: UserId, changes: Partial<Session> = {}): Session {
  return {
    id: newId('ses', org.context.entropy),
    organization: org.organization,
    user,
    parent: null,
    mode: 'bearer',
    generation: 1,
    previous: null,
    issuedAt: PAST,
    usedAt: null,
    recent: [{ generation: 1, from: 0, issuedAt: PAST }],
    createdAt: PAST,
    idleExpiresAt: FUTURE,
    expiresAt: FUTURE + DAY,
    revokedAt: null,
    end: null,
    methods: ['pwd', 'otp'],
    authenticatedAt: PAST,
    keyThumbprint: null,
    userAgent: 'Browser 1',
    address: '192.0.2.1',
    issuer: null,
    ...changes,
  }
}

export async function opened(org: TestOrganization, user: UserId, changes: Partial<Session> = {}): Promise<Session> {
  const session = newSession(org, user, changes)
  await org.store.sessions.open(session, { ...org.event('session.opened'), subject: session.id })
  return session
}

export function presentation(org: TestOrganization, session: Session, generation: number): PresentationInput {
  const eventId = newId('evt', org.context.entropy)
  return { session: session.id, generation, at: PAST, idleMs: DAY, eventId, address: '198.51.100.7', userAgent: 'Browser 2', shown: null }
}

export function present(org: TestOrganization, session: Session, generation: number): Promise<Presented> {
  return org.store.sessions.present(presentation(org, session, generation))
}

/** What came of each presentation, counted. */
export function kindsOf(presented: readonly Presented[]): Readonly<Record<string, number>> {
  const counted: Record<string, number> = {}
  for (const one of presented) {
    const kind = one.kind === 'known' ? one.judgement.kind : one.kind
    counted[kind] = (counted[kind] ?? 0) + 1
  }
  return counted
}

/** The session as it is stored now. */
export async function stored(org: TestOrganization, { id }: Session): Promise<Session> {
  const found = await org.store.sessions.get(id)
  if (found === undefined) throw new Error(`${id} is not stored`)
  return found.session
}

/** Types of the events about a session, oldest first, without the one of its beginning. */
export async function toldOf(org: TestOrganization, { id }: Session): Promise<readonly string[]> {
  const { items } = await org.store.events.list(org.organization, { subject: id }, { limit: 100, cursor: null })
  return items
    .map(({ type }) => type)
    .filter((type) => type !== 'session.opened')
    .reverse()
}

/** What subscribers hear while `work` runs. */
export async function heardDuring(org: TestOrganization, work: () => Promise<unknown>): Promise<readonly Change[]> {
  const heard: Change[] = []
  const stop = org.store.changes.subscribe((change) => heard.push(change))
  await work()
  stop()
  return heard
}
