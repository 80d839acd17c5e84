// Access tokens, their keys and proofs of possession over two nodes on one database: S49, S50; rows 5, 32 and 52 of the peers list.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { composeSessions, type SessionParts } from '../../packages/evergrant/src/compose-sessions.ts'
import { Fault } from '../../packages/evergrant/src/core/fault/fault.ts'
import type { Session } from '../../packages/evergrant/src/core/session/session.ts'
import type { SignedIn } from '../../packages/evergrant/src/core/session/sessions.ts'
import { opened, person } from '../../packages/evergrant/src/store/conformance/people.ts'
import { TestOrganization } from '../../packages/evergrant/src/store/conformance/test-organization.ts'
import { openPostgresStore, type Store } from '../../packages/evergrant/src/store/index.ts'
import { systemClock, systemEntropy, systemTimers } from '../../packages/evergrant/src/system.ts'
import { testSeal } from '../../packages/evergrant/src/testing/seal.ts'
import { createProofKey } from '../../packages/sdk/src/proof/proof-key.ts'
import { freshDatabase } from '../fresh-database.ts'

const { database, skip } = await freshDatabase()
const PUBLIC_URL = 'https://evergrant.example'
const DAY = 86_400_000
const ports = { clock: systemClock, timers: systemTimers, entropy: systemEntropy }
/** What happens at one node shows at every other within this time. */
const SEEN_WITHIN = { timeout: 1_000, interval: 10 }

interface Node extends SessionParts {
  readonly store: Store
}

describe.skipIf(database === null)(`sessions over two nodes${skip ?? ''}`, () => {
  let org: TestOrganization
  let one: Node
  let two: Node
  const stores: Store[] = []

  async function node(): Promise<Node> {
    const store = await openPostgresStore(database?.url ?? '', { ...ports, migrate: true })
    stores.push(store)
    const quiet = { info: () => {}, warn: () => {}, error: () => {} }
    const config = { publicUrl: PUBLIC_URL, sessionIdleMs: 30 * DAY, sessionMs: 180 * DAY, serveWithoutDatabaseMs: 0 }
    org ??= await TestOrganization.open(store, { entropy: systemEntropy, duePlan: () => Promise.reject(new Error('not here')) })
    return { store, ...composeSessions({ ...ports, config, store, seal: testSeal(), log: quiet, organization: org.organization }) }
  }

  beforeAll(async () => {
    one = await node()
    two = await node()
  })
  afterAll(async () => {
    await Promise.all(stores.map((store) => store.close()))
    await database?.drop()
  })

  /** Somebody whose token both nodes have in their memory. */
  async function knownToBoth(changes: Partial<Session> = {}): Promise<{ readonly token: string; readonly signedIn: SignedIn }> {
    const user = await person(org)
    const now = systemClock.wall()
    const session = await opened(org, user.id, {
      issuedAt: now,
      createdAt: now,
      authenticatedAt: now,
      idleExpiresAt: now + DAY,
      expiresAt: now + DAY,
      ...changes,
    })
    const signedIn = await one.store.sessions.get(session.id)
    if (signedIn?.role === undefined || signedIn.role === null) throw new Error('the session was not stored')
    const { token } = await one.accessTokens.issue({ ...signedIn, role: signedIn.role })
    for (const { guard } of [one, two]) {
      await guard.lookUp(token, 'not_asked')
      await expect.poll(() => answerOf(guard.peek(token, 'not_asked'))).toBe(signedIn.role)
    }
    return { token, signedIn }
  }

  const answerOf = (found: ReturnType<SessionParts['guard']['peek']>): string =>
    found === 'unknown' ? 'unknown' : found instanceof Fault ? found.code : found.role
  /** What the other node says, asking the database only where its memory does not know. */
  const answer = async (of: Node, token: string): Promise<string> => {
    const known = of.guard.peek(token, 'not_asked')
    if (known !== 'unknown') return answerOf(known)
    return of.guard.lookUp(token, 'not_asked').then(answerOf, (error: unknown) => (error instanceof Fault ? error.code : String(error)))
  }

  test('nodes that start together on an empty database sign with one key, and a third that starts later, too', async () => {
    const [first, second] = await Promise.all([one.signingKeys.signing(), two.signingKeys.signing()])
    expect(second.id).toBe(first.id)
    expect((await (await node()).signingKeys.signing()).id).toBe(first.id)
    expect(await one.signingKeys.published()).toEqual(await two.signingKeys.published())
  })

  test('a session that ends at one node is refused at the other within a second (S49)', async () => {
    const { token, signedIn } = await knownToBoth()
    await one.sessions.end(signedIn.session, 'here', { address: null, userAgent: null })
    await expect.poll(() => answer(two, token), SEEN_WITHIN).toBe('session_signed_out')
  })

  test('another role, and a disabled user, count at the other node within a second (S49, S102)', async () => {
    const { token, signedIn } = await knownToBoth()
    const { organization } = signedIn.session
    await one.store.users.changeRole(organization, signedIn.user.id, 'viewer', org.event('user.role_changed'))
    await expect.poll(() => answer(two, token), SEEN_WITHIN).toBe('viewer')
    const user = await one.store.users.get(signedIn.user.id)
    if (user === undefined) throw new Error('the user is gone')
    await one.store.users.update({ ...user, disabledAt: systemClock.wall(), version: user.version + 1 }, org.event('user.disabled'))
    await expect.poll(() => answer(two, token), SEEN_WITHIN).toBe('session_revoked')
  })

  test('a key that is changed at one node signs at the other within a second, and old tokens stay good', async () => {
    const { token } = await knownToBoth()
    await one.signingKeys.rotateNow({ stolen: false, actor: { kind: 'cli', id: null } })
    const { id } = await one.signingKeys.signing()
    await expect.poll(async () => (await two.signingKeys.signing()).id, SEEN_WITHIN).toBe(id)
    expect(await answer(two, token)).not.toBe('access_token_expired')
  })

  test('a stolen key ends at the other node within a second, also for tokens in its memory', async () => {
    const { token } = await knownToBoth()
    await one.signingKeys.rotateNow({ stolen: true, actor: { kind: 'cli', id: null } })
    await expect.poll(() => answer(two, token), SEEN_WITHIN).toBe('access_token_expired')
  })

  test('a proof that was used at one node is refused at the other, and of two at once one is accepted (S50)', async () => {
    const key = await createProofKey()
    const request = async () => ({
      headers: [await key.proofFor({ method: 'POST', url: PUBLIC_URL })],
      method: 'POST',
      url: PUBLIC_URL,
      accessToken: null,
      boundTo: key.thumbprint,
    })
    const used = await request()
    expect(await one.proofs.check(used)).toBe(key.thumbprint)
    await expect(two.proofs.check(used)).rejects.toMatchObject({ code: 'dpop_proof_invalid' })
    for (let round = 0; round < 10; round += 1) {
      const raced = await request()
      const outcomes = await Promise.allSettled([one, two, one, two].map(({ proofs }) => proofs.check(raced)))
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
    }
  })

  test('a nonce of one node counts at the other', async () => {
    const key = await createProofKey()
    const headers = [await key.proofFor({ method: 'POST', url: PUBLIC_URL, nonce: one.proofs.nonces.current() })]
    expect(await two.proofs.check({ headers, method: 'POST', url: PUBLIC_URL, accessToken: null, boundTo: null, nonceRequired: true })).toBe(key.thumbprint)
  })

  test('the first use of a generation at any node is in the database within two seconds', async () => {
    const { signedIn } = await knownToBoth()
    await expect.poll(async () => (await one.store.sessions.get(signedIn.session.id))?.session.usedAt, { timeout: 2_000 }).not.toBeNull()
  })
})
