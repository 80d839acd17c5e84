// One refresh credential, presented by many at once: one lineage and never a fork, on both databases and over two nodes.
// Requirements: S41 of the security list; rows 4 and 6 of the peers list; the race of its section 5.4.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { SessionId } from '../../packages/evergrant/src/core/ids.ts'
import { readRefreshCredential, refreshCredential } from '../../packages/evergrant/src/core/session/refresh-credential.ts'
import type { SessionMode } from '../../packages/evergrant/src/core/session/session.ts'
import { opened, person, presentation } from '../../packages/evergrant/src/store/conformance/people.ts'
import { TestOrganization } from '../../packages/evergrant/src/store/conformance/test-organization.ts'
import type { Change, Store } from '../../packages/evergrant/src/store/contract.ts'
import { openPostgresStore } from '../../packages/evergrant/src/store/index.ts'
import { openThreadedSqliteStore } from '../../packages/evergrant/src/store/sqlite/threaded-store.ts'
import { systemClock, systemEntropy, systemTimers } from '../../packages/evergrant/src/system.ts'
import { testSeal } from '../../packages/evergrant/src/testing/seal.ts'
import type { Verdict } from '../../packages/evergrant/src/testing/session-games.ts'
import { freshDatabase } from '../fresh-database.ts'

const HOUR = 3_600_000
const CROWDS: readonly { readonly size: number; readonly mode: SessionMode }[] = [
  { size: 2, mode: 'bearer' },
  { size: 2, mode: 'cookie' },
  { size: 50, mode: 'bearer' },
  { size: 50, mode: 'cookie' },
]

/** Nodes over one database. `sql` runs a statement beside them; parameters are `?`. */
interface World {
  readonly nodes: readonly Store[]
  sql(text: string, ...params: readonly (string | number)[]): Promise<readonly Readonly<Record<string, unknown>>[]>
}

interface Answer {
  readonly verdict: Verdict | 'refused'
  /** The refresh credential that the client gets; null: it is signed out. */
  readonly given: string | null
}

/** A client's view: texts in, texts out. Presentations go round the nodes. */
class Clients {
  readonly world: World
  readonly org: TestOrganization
  readonly #seal = testSeal()
  #turn = 0

  constructor(world: World, org: TestOrganization) {
    this.world = world
    this.org = org
  }

  async signIn(mode: SessionMode): Promise<{ readonly id: SessionId; readonly text: string }> {
    const user = await person(this.org)
    const session = await opened(this.org, user.id, { mode })
    return { id: session.id, text: refreshCredential(session.id, 1, this.#seal) }
  }

  async present(text: string): Promise<Answer> {
    const node = this.world.nodes[this.#turn++ % this.world.nodes.length]!
    const credential = readRefreshCredential(text, this.#seal)
    if (credential === null) return { verdict: 'refused', given: null }
    const session = { id: credential.session } as Parameters<typeof presentation>[1]
    const presented = await node.sessions.present(presentation(this.org, session, credential.generation))
    if (presented.kind !== 'known') return { verdict: 'refused', given: null }
    const { judgement, signedIn } = presented
    if (judgement.kind === 'reuse' || judgement.kind === 'ended') return { verdict: judgement.kind, given: null }
    return { verdict: judgement.kind, given: refreshCredential(credential.session, signedIn.session.generation, this.#seal) }
  }

  crowd(size: number, text: (index: number) => string): Promise<readonly Answer[]> {
    return Promise.all(Array.from({ length: size }, (_, index) => this.present(text(index))))
  }

  /** As if an hour had gone by without anybody. */
  async anHourLater(id: SessionId): Promise<void> {
    const [row] = await this.world.sql('select recent from session where id = ?', id)
    const earlier = (name: string, value: unknown) => (name === 'issuedAt' || name === 'againAt' ? Number(value) - HOUR : value)
    const recent = JSON.parse(String(row?.recent), earlier)
    await this.world.sql('update session set issued_at = issued_at - ?, recent = ? where id = ?', HOUR, JSON.stringify(recent), id)
  }
}

const verdictsOf = (answers: readonly Answer[]) => answers.map(({ verdict }) => verdict).sort()
const textsOf = (answers: readonly Answer[]) => [...new Set(answers.map(({ given }) => given))]
const oneAndReplays = (size: number) => [...Array.from({ length: size - 1 }, () => 'replay'), 'rotate']

function races(open: () => Clients): void {
  test.each(CROWDS)('$size at once get one and the same successor, round after round, in $mode mode (S41, row 6)', async ({ size, mode }) => {
    const clients = open()
    const signedIn = await clients.signIn(mode)
    const { id } = signedIn
    let { text } = signedIn
    const known = [text]
    for (let round = 1; round <= 10; round++) {
      const answers = await clients.crowd(size, () => text)
      expect(verdictsOf(answers)).toEqual(oneAndReplays(size))
      const texts = textsOf(answers)
      expect(texts).toHaveLength(1)
      text = texts[0]!
      expect(known).not.toContain(text)
      known.push(text)
      for (const node of clients.world.nodes) expect((await node.sessions.get(id))?.session.generation).toBe(round + 1)
      await clients.anHourLater(id)
    }
  })

  test.each(CROWDS)(
    'of all that $size at once were given, one refreshes later, and showing another one ends both, in $mode mode (rows 4 and 6)',
    async ({ size, mode }) => {
      const clients = open()
      const { id, text } = await clients.signIn(mode)
      const [second] = textsOf(await clients.crowd(size, () => text))
      await clients.anHourLater(id)
      // The thief with the old one and the victim with the new one come in the same moment, on both nodes.
      const answers = await clients.crowd(size, (index) => (index % 2 === 0 ? text : second!))
      const advanced = verdictsOf(answers).filter((verdict) => verdict === 'rotate' || verdict === 'reissue')
      expect(advanced).toHaveLength(1)
      const given = textsOf(answers).filter((one) => one !== null)
      expect(given).toHaveLength(1)
      const live = (await clients.world.nodes[0]!.sessions.get(id))?.session
      expect(live?.generation).toBe(3)
      await clients.anHourLater(id)
      if (live?.revokedAt === null) expect(verdictsOf([await clients.present(given[0]!)])).toEqual(['rotate'])
      await clients.anHourLater(id)
      const late = verdictsOf([await clients.present(text)])
      expect(late).toEqual([live?.revokedAt === null ? 'reuse' : 'ended'])
      for (const any of [text, second!, ...given]) expect((await clients.present(any)).verdict).toBe('ended')
    },
  )

  test('a stolen credential that comes back with fifty others ends the session once, on every node (row 4)', async () => {
    const clients = open()
    const { id, text } = await clients.signIn('cookie')
    let newest = text
    for (let period = 0; period < 2; period++) {
      newest = (await clients.present(newest)).given!
      await clients.anHourLater(id)
    }
    const answers = await clients.crowd(50, () => text)
    expect(verdictsOf(answers)).toEqual([...Array.from({ length: 49 }, () => 'ended'), 'reuse'])
    for (let node = 0; node < 2; node++) expect((await clients.present(newest)).verdict).toBe('ended')
    const events = await clients.org.store.events.list(clients.org.organization, { subject: id, type: 'session.reuse_detected' }, { limit: 9, cursor: null })
    expect(events.items).toHaveLength(1)
  })

  test('nothing is accepted once a sign-out was confirmed, whoever was on the way', async () => {
    const clients = open()
    const { id, text } = await clients.signIn('cookie')
    const [node] = clients.world.nodes
    const crowd = clients.crowd(50, () => text)
    expect(await node!.sessions.end(id, 'signed_out', systemClock.wall(), clients.org.event('session.ended'))).toBe('ended')
    for (const { verdict } of await clients.crowd(4, () => text)) expect(verdict).toBe('ended')
    const given = textsOf(await crowd).filter((one) => one !== null)
    expect(given.length).toBeLessThanOrEqual(1)
    for (const one of given) expect((await clients.present(one)).verdict).toBe('ended')
  })

  test('every node hears of a rotation, an end and a change of role', async () => {
    const clients = open()
    const { id, text } = await clients.signIn('cookie')
    const heard: Change[][] = clients.world.nodes.map(() => [])
    const stops = clients.world.nodes.map((node, index) => node.changes.subscribe((change) => heard[index]!.push(change)))
    const user = (await clients.world.nodes[0]!.sessions.get(id))!.user.id
    await clients.present(text)
    for (const told of heard) await expect.poll(() => told).toContainEqual({ kind: 'session', session: id })
    await clients.world.nodes[0]!.users.changeRole(clients.org.organization, user, 'viewer', clients.org.event('user.role_changed'))
    for (const told of heard) await expect.poll(() => told).toContainEqual({ kind: 'user', user })
    for (const node of clients.world.nodes) expect((await node.sessions.get(id))?.role).toBe('viewer')
    for (const stop of stops) stop()
  })
}

const context = { entropy: systemEntropy, duePlan: () => Promise.resolve('') }

describe('on the embedded database, on its thread', () => {
  let folder: string
  let clients: Clients
  let beside: DatabaseSync
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'evergrant-races-'))
    const path = join(folder, 'store.db')
    const entry = new URL('../../packages/evergrant/src/compose-sqlite-thread.ts', import.meta.url)
    const store = await openThreadedSqliteStore(path, { entry, migrate: true })
    beside = new DatabaseSync(path, { timeout: 5_000 })
    const sql: World['sql'] = (text, ...params) => Promise.resolve(beside.prepare(text).all(...params))
    clients = new Clients({ nodes: [store], sql }, await TestOrganization.open(store, context))
  })
  afterAll(async () => {
    beside.close()
    await clients.world.nodes[0]!.close()
    await rm(folder, { recursive: true, force: true })
  })
  races(() => clients)
})

const { database, skip } = await freshDatabase()

describe.skipIf(database === null)(`on PostgreSQL, over two nodes${skip ?? ''}`, () => {
  let clients: Clients
  let beside: pg.Client
  beforeAll(async () => {
    const options = { clock: systemClock, timers: systemTimers, migrate: true }
    const url = database?.url ?? ''
    const nodes = [await openPostgresStore(url, options), await openPostgresStore(url, options)]
    beside = new pg.Client(url)
    await beside.connect()
    let place = 0
    const numbered = (text: string) => {
      place = 0
      return text.replace(/\?/g, () => `$${++place}`)
    }
    const sql: World['sql'] = async (text, ...params) => (await beside.query(numbered(text), [...params])).rows
    clients = new Clients({ nodes, sql }, await TestOrganization.open(nodes[0]!, context))
  })
  afterAll(async () => {
    await beside.end()
    for (const node of clients.world.nodes) await node.close()
    await database?.drop()
  })
  races(() => clients)
})
