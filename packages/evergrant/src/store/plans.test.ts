// Cost follows what is due, never what exists: every statement of the background, and every read that a caller waits for,
// is explained on a database with many connections of which few matter.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { freshDatabase } from '../../../../tests/fresh-database.ts'
import type { SdkPresentation } from '../core/agent/sdk-presentation.ts'
import { type AgentId, type ConnectionId, type InstallationId, newId, type SdkTokenId, type SessionId, type UserId } from '../core/ids.ts'
import type { NewPushNotice } from '../core/push/pushes.ts'
import type { PresentationInput } from '../core/session/sessions.ts'
import { systemClock, systemEntropy, systemTimers } from '../system.ts'
import { agentCopies, agentPlans, fillAgents } from './conformance/agent-plans.ts'
import { enrolled, newAgent } from './conformance/agents.ts'
import { alertCopies, alertPlans, fillAlerts } from './conformance/alert-plans.ts'
import { deathCopies, deathPlans, fillDeaths } from './conformance/death-plans.ts'
import { observePlans } from './conformance/observe-plans.ts'
import { opened, person } from './conformance/people.ts'
import { insertion, stagedSession } from './conformance/sign-in-cases.ts'
import { TestOrganization, tokens } from './conformance/test-organization.ts'
import { fillTrust, trustCopies, trustPlans } from './conformance/trust-plans.ts'
import type { Store } from './contract.ts'
import { numberParameters, POSTGRES } from './postgres/postgres-dialect.ts'
import { postgresMigrations } from './postgres/postgres-migrations.ts'
import { openPostgresStore } from './postgres/postgres-store.ts'
import type { Database, Program, Row, Step, StepResult } from './sql/program.ts'
import { type StoreParts, storeParts } from './sql/store-parts.ts'
import { SQLITE } from './sqlite/sqlite-database.ts'
import { openSqliteStore } from './sqlite/sqlite-store.ts'

const CONNECTIONS = 6_000
const LIMIT = 20
/** Rows that a statement may touch for each row it was asked for: joins, and what stands beside it in an index. */
const ROWS_EACH = 12
const DAY = 86_400_000
const NOW = systemClock.wall()
const options = { clock: systemClock, timers: systemTimers, migrate: true }

const userAt = (index: number) => `usr_${String(index).padStart(8, '0')}` as UserId
const sessionAt = (index: number) => `ses_${String(index).padStart(8, '0')}` as SessionId

const agentAt = (index: number) => `agt_${String(index).padStart(8, '0')}` as AgentId
const installationAt = (index: number) => `ins_${String(index).padStart(8, '0')}` as InstallationId
const sdkTokenAt = (index: number) => `sdk_${String(index).padStart(8, '0')}` as SdkTokenId

function sdkPresentation(installation: InstallationId, changes: Partial<SdkPresentation> = {}): SdkPresentation {
  const events = [newId('evt', systemEntropy), newId('evt', systemEntropy)] as const
  const made = { token: newId('sdk', systemEntropy), adopted: newId('sdk', systemEntropy), attempt: newId('rca', systemEntropy) }
  return {
    verb: 'refresh',
    installation,
    generation: 1,
    attempt: 'plans',
    nextAttempt: systemEntropy.uuid(),
    key: 'plans',
    provenAfter: NOW,
    nextKey: null,
    tokenLifeMs: DAY,
    recoveryEnabled: true,
    ids: { ...made, family: 'plans', events, approval: newId('apr', systemEntropy), incident: newId('inc', systemEntropy) },
    address: null,
    userAgent: null,
    hints: null,
    requestId: 'plans',
    ...changes,
  }
}

function presentationOf(session: SessionId, generation: number): PresentationInput {
  return { session, generation, at: NOW, idleMs: DAY, eventId: newId('evt', systemEntropy), address: null, userAgent: null, shown: null }
}

interface World {
  readonly org: TestOrganization
  readonly connections: readonly ConnectionId[]
}

interface Case {
  readonly name: string
  readonly run: (store: StoreParts, world: World) => Promise<unknown>
}

const page = { limit: LIMIT, cursor: null }
const some = ({ connections }: World, count = LIMIT) => connections.slice(100, 100 + count)

const CASES: readonly Case[] = [
  { name: 'taking what is due', run: (store) => store.credentials.takeDue(LIMIT, 1_000) },
  { name: 'reading a connection', run: (store, world) => store.credentials.read(some(world)[0]!) },
  {
    name: 'marking reads',
    run: (store, world) => store.credentials.markReads(some(world).map((connection) => ({ connection, at: NOW, dueAt: NOW }))),
  },
  { name: 'cutting old answers', run: (store) => store.credentials.cutAnswers(NOW - 3 * DAY, LIMIT) },
  { name: 'removing answers past their time', run: (store) => store.credentials.forgetAnswers(NOW - 6 * DAY, LIMIT) },
  { name: 'removing refresh events past their time', run: (store, { org }) => store.events.forgetRefreshes(org.organization, NOW, LIMIT) },
  { name: 'the answers that were never applied', run: (store, { org }) => store.credentials.unappliedAnswers(org.organization, LIMIT) },
  {
    name: 'freeing one lease that was forgotten',
    run: (store, world) => store.credentials.reclaimForgotten(some(world)[0]!, world.org.node('plan-node', 'new'), 1),
  },
  { name: 'taking leases back at a start', run: (store, { org }) => store.credentials.reclaim(org.node('plan-node', 'new')) },
  { name: 'purging ciphertext', run: (store) => store.connections.purge(NOW - 30 * DAY, LIMIT) },
  { name: 'saying which exchanges are kept', run: (store) => store.connectSessions.noteKept(['itn_1', 'itn_2'], NOW) },
  { name: 'purging connect sessions', run: (store) => store.connectSessions.purge(NOW, LIMIT) },
  { name: 'purging repeated requests', run: (store) => store.idempotency.purge(NOW, LIMIT) },
  { name: 'taking revocations that are due', run: (store) => store.connections.takeDueRevocations(LIMIT, 1_000) },
  { name: 'the first page of connections', run: (store, { org }) => store.connections.list(org.organization, {}, page) },
  {
    name: 'a page in the middle',
    run: (store, world) =>
      store.connections.list(world.org.organization, {}, { limit: LIMIT, cursor: Buffer.from(some(world)[0]!, 'utf8').toString('base64url') }),
  },
  ...(['needs_reauth', 'paused', 'disconnected', 'degraded'] as const).map((status) => ({
    name: `the connections that are ${status}`,
    run: (store: StoreParts, { org }: World) => store.connections.list(org.organization, { status }, page),
  })),
  {
    name: "one owner's connections",
    run: (store, { org }) => store.connections.byOwner(org.organization, org.integration.id, 'owner-77'),
  },
  {
    name: 'everything of one owner, as it is looked at with every refresh of a session',
    run: (store, { org }) => store.connections.list(org.organization, { owner: 'owner-77' }, page),
  },
  { name: "an owner's connect sessions", run: (store, { org }) => store.owners.connectSessions(org.organization, 'owner-77') },
  { name: 'the events about an owner and their sessions', run: (store, { org }) => store.owners.eventSubjects(org.organization, 'owner-77', 'usr_77') },
  { name: "an owner's open revocations", run: (store, { org }) => store.owners.takeRevocations(org.organization, 'owner-77', 1_000) },
  { name: 'the siblings of an account', run: (store, { org }) => store.connections.byAccount(org.organization, org.integration.id, 'account-77') },
  { name: 'the first page of events', run: (store, { org }) => store.events.list(org.organization, {}, page) },
  {
    name: "one connection's events",
    run: (store, world) => store.events.list(world.org.organization, { connection: some(world)[0]! }, page),
  },
  { name: 'what changed at providers', run: (store, { org }) => store.events.drift(org.organization, null, LIMIT) },
  { name: 'what changed at one provider', run: (store, { org }) => store.events.drift(org.organization, 'acme', LIMIT) },
  { name: 'forgetting keys of events', run: (store) => store.events.forgetKeys(NOW, LIMIT) },
  { name: 'taking pushes', run: (store) => store.pushes.take(LIMIT, 1_000) },
  { name: 'forgetting pushes', run: (store) => store.pushes.forget(NOW - 90 * DAY, LIMIT) },
  { name: 'taking checks that are due', run: (store) => store.checks.take(LIMIT, 1_000) },
  { name: 'the checks of a page', run: (store, world) => store.checks.of(some(world)) },
  {
    name: 'a signed-in person',
    run: (store) => store.sessions.get(sessionAt(100)),
  },
  { name: 'presenting a refresh credential', run: (store) => store.sessions.present(presentationOf(sessionAt(101), 1)) },
  { name: 'presenting one that was stolen', run: (store) => store.sessions.present(presentationOf(sessionAt(102), 0)) },
  { name: 'noting that sessions are used', run: (store) => store.sessions.markUsed([{ session: sessionAt(103), generation: 1, at: NOW }]) },
  { name: "a person's sessions", run: (store) => store.sessions.listOf(userAt(104)) },
  {
    name: 'ending a session',
    run: (store, { org }) => store.sessions.end(sessionAt(105), 'signed_out', NOW, org.event('session.ended')),
  },
  {
    name: "ending all of a person's sessions",
    run: (store, { org }) => store.sessions.endAll(userAt(106), { except: null, organization: null }, 'signed_out', NOW, org.event('session.ended')),
  },
  { name: 'removing sessions past their time', run: (store) => store.sessions.purge(NOW - DAY, LIMIT) },
  { name: 'a person by address', run: (store) => store.users.byEmail('107@example.com') },
  { name: 'a person by identity', run: (store) => store.users.byIdentity('https://accounts.example.com', '108') },
  { name: "a person's memberships", run: (store) => store.users.membershipsOf(userAt(109)) },
  { name: 'the first page of members', run: (store, { org }) => store.users.list(org.organization, page) },
  {
    name: 'changing a role',
    run: (store, { org }) => store.users.changeRole(org.organization, userAt(110), 'viewer', org.event('user.role_changed')),
  },
  {
    name: 'signing somebody in through a provider',
    run: async (store, { org }) => {
      const session = stagedSession(org)
      await store.connectSessions.insert(session, org.event('connect.session_created'))
      const user = userAt(112)
      const identity = { issuer: 'https://accounts.example.com', subject: 'new', user, createdAt: NOW }
      const gained = { identity, event: org.event('user.identity_added') }
      const person = { kind: 'known', user, identity: gained, membership: null } as const
      const event = org.event('connect.completed')
      const outcome = await store.signIns.commit({ session: session.id, owner: user, event, person, grant: insertion(org, user, 'signed in') })
      expect(outcome).toBe('committed')
    },
  },
  { name: 'erasing a person', run: (store, { org }) => store.users.erase(userAt(111), NOW, org.event('user.erased')) },
  { name: 'an installation', run: (store) => store.installations.get(installationAt(200)) },
  { name: 'presenting a refresh token', run: (store) => store.installations.present(sdkPresentation(installationAt(202))) },
  { name: 'presenting one that was copied', run: (store) => store.installations.present(sdkPresentation(installationAt(204), { attempt: 'copied' })) },
  { name: 'recovering', run: (store) => store.installations.present(sdkPresentation(installationAt(206), { verb: 'recover' })) },
  {
    name: 'noting that installations are used',
    run: (store) => store.installations.markSeen([{ installation: installationAt(208), generation: 2, at: NOW, address: null }]),
  },
  {
    name: 'cutting an installation off',
    run: (store, { org }) =>
      store.installations.revoke(
        org.organization,
        { installation: installationAt(210) },
        { class: 'owner_request', reason: null, by: 'plans', ticket: false, status: 'retired', lock: null },
        NOW,
        org.event('sdk_token.revoked'),
      ),
  },
  {
    name: "rotating an agent's installations",
    run: (store, { org }) =>
      store.installations.revoke(
        org.organization,
        { agent: agentAt(212) },
        { class: 'hygiene', reason: null, by: 'plans', ticket: true, status: 'active', lock: null },
        NOW,
        org.event('sdk_token.revoked'),
      ),
  },
  { name: "an installation's tokens", run: (store) => store.installations.tokensOf(installationAt(214), LIMIT) },
  { name: "an installation's recoveries", run: (store) => store.installations.attemptsOf(installationAt(216), LIMIT) },
  { name: 'the first page of installations', run: (store, { org }) => store.installations.list(org.organization, { limit: LIMIT, after: null }) },
  {
    name: "an agent's installations",
    run: (store, { org }) => store.installations.list(org.organization, { agent: agentAt(218), limit: LIMIT, after: null }),
  },
  {
    name: 'unlocking an installation',
    run: (store, { org }) => store.installations.unlock(org.organization, installationAt(220), true, NOW, org.event('installation.unlocked')),
  },
  { name: 'excusing tokens that ended while the server was down', run: (store) => store.installations.excuse(NOW - 3 * DAY, NOW - 2 * DAY, LIMIT) },
  { name: 'removing tokens that were replaced long ago', run: (store) => store.installations.purge(NOW - 7 * DAY, LIMIT) },
  { name: 'removing workloads past their end', run: (store) => store.installations.forgetEnded(NOW - 7 * DAY, LIMIT) },
  { name: 'removing attempts to recover past their time', run: (store) => store.installations.forgetAttempts(NOW - 90 * DAY, LIMIT) },
  {
    name: 'planning checks',
    run: (store, { org: { organization, integration } }) =>
      store.checks.plan({ integration: integration.id, organization, everyMs: DAY, before: 'con_9' as ConnectionId }, LIMIT),
  },
  {
    name: 'disconnecting',
    run: (store, { org, connections }) =>
      store.connections.disconnect({
        organization: org.organization,
        connection: connections[151]!,
        at: NOW,
        event: org.event('connection.disconnected', connections[151]!),
        revocation: { id: newId('rev', systemEntropy), perToken: false },
      }),
  },
  {
    name: 'a page that is sealed anew',
    run: (store, world) =>
      store.reseals.advance({
        key: 'plans',
        holder: 'plan-node',
        heldUntil: NOW,
        swaps: some(world).flatMap((connection) =>
          ['access_token', 'refresh_token'].map((column) => ({ source: 1, column, key: [connection], was: Uint8Array.of(1), is: Uint8Array.of(2) })),
        ),
        unopened: 0,
        next: null,
      }),
  },
  ...agentPlans(NOW),
  ...observePlans,
  ...alertPlans(NOW),
  ...trustPlans(NOW),
  ...deathPlans,
]

type ExplainedStep = (step: Exclude<Step, { kind: 'changed' }>, complain: (why: string) => void) => Promise<StepResult>

/** Drives programs as the stores do, and explains each statement before it runs. */
class ExplainedDatabase implements Database {
  readonly dialect: Database['dialect']
  readonly complaints: string[] = []
  readonly #step: ExplainedStep

  constructor(dialect: Database['dialect'], step: ExplainedStep) {
    this.dialect = dialect
    this.#step = step
  }

  read<Result>(program: () => Program<Result>): Promise<Result> {
    return this.write(program)
  }

  async write<Result>(program: () => Program<Result>): Promise<Result> {
    const running = program()
    let next = running.next()
    while (next.done !== true) {
      const step: Step = next.value
      const complain = (why: string) => void this.complaints.push(`${why}\n${step.kind === 'changed' ? '' : step.sql}`)
      next = running.next(step.kind === 'changed' ? { rows: [], changes: 0 } : await this.#step(step, complain))
    }
    return next.value
  }
}

function noticeOf({ organization, integration }: TestOrganization): NewPushNotice {
  const common = { means: 'revoked', account: 'account-0', proven: true, happenedAt: null, receivedAt: NOW, code: null, facts: {} } as const
  return { ...common, id: newId('psh', systemEntropy), organization, integration: integration.id, digest: 'first' }
}

/** One connection with everything that hangs on it, made by the store; the others are copies of its rows. */
async function fill(
  store: Store,
  sql: (text: string) => Promise<readonly Row[]>,
  insert: (table: string, rows: readonly Row[]) => Promise<void>,
): Promise<World> {
  const org = await TestOrganization.open(store, { entropy: systemEntropy, duePlan: () => Promise.resolve('') })
  const first = await org.connect({ owner: 'owner-0', account: 'account-0' }, NOW)
  await store.credentials.commitGrant(org.grant(first, await org.claimed(first), 1, { credential: tokens(2) }))
  await store.checks.record({ connection: first, at: NOW, result: 'works', httpStatus: 200, dueAt: NOW }, null)
  await store.events.appendOnce('plans', org.event('provider.drift_detected'))
  await store.pushes.accept([noticeOf(org)])
  const user = await person(org)
  await store.users.addIdentity({ issuer: 'https://accounts.example.com', subject: 'first', user: user.id, createdAt: NOW }, org.event('user.identity_added'))
  await opened(org, user.id)
  await fillAgents(org)
  await fillTrust(org)
  await fillAlerts(org, first, NOW)
  await fillDeaths(org)
  const agent = await newAgent(org, { owner: user.id })
  const machine = await enrolled(org, agent, 'plans')
  await store.installations.present(sdkPresentation(machine.id, { verb: 'recover' }))
  const ids = Array.from({ length: CONNECTIONS }, (_, index) => `con_${String(index).padStart(8, '0')}` as ConnectionId)
  const copies: Readonly<Record<string, (row: Row, index: number, id: string) => Row>> = {
    connection: (row, index, id) => ({
      ...row,
      id,
      owner: `owner-${index}`,
      account: `account-${index}`,
      tags: JSON.stringify(index % 200 === 3 ? ['one'] : [`tag-${index}`]),
      ...(index % 200 === 0 ? { state: 'disconnected', disconnected_at: NOW - 40 * DAY + index, purged_at: index < 5_000 ? NOW - 10 * DAY : null } : {}),
    }),
    health: (row, index, id) => ({ ...row, connection_id: id, due_at: index % 100 === 7 ? NOW - index : NOW + DAY + index }),
    credential: (row, _, id) => ({ ...row, connection_id: id }),
    answer: (row, index, id) => ({ ...row, intent_id: `itn_${id}`, connection_id: id, received_at: NOW - index * 100_000, applied: index % 500 === 3 ? 0 : 1 }),
    event: (row, _, id) => ({ ...row, id: `evt_${id}`, connection_id: id }),
    connection_check: (row, index, id) => ({ ...row, connection_id: id, due_at: index % 100 === 7 ? NOW - index : NOW + DAY + index }),
    push_notice: (row, index, id) => ({
      ...row,
      id: `psh_${id}`,
      digest: id,
      ...(index % 300 === 7 ? { due_at: NOW - index, done_at: null } : { due_at: null, done_at: NOW - 80 * DAY - index * 200_000 }),
    }),
    event_key: (row, index, id) => ({ ...row, event_key: id, at: NOW - index }),
    person: (row, index) => ({ ...row, id: userAt(index), email: `${index}@example.com` }),
    membership: (row, index) => ({ ...row, user_id: userAt(index), role: index % 500 === 3 ? 'owner' : 'member' }),
    person_identity: (row, index) => ({ ...row, subject: String(index), user_id: userAt(index) }),
    agent: (row, index) => ({ ...row, id: agentAt(index), owner_id: userAt(index), name: String(index) }),
    installation: (row, index) => ({ ...row, id: installationAt(index), agent_id: agentAt(index), head_id: sdkTokenAt(index), generation: 2 }),
    // Every other installation has its newest token here, and the one before it.
    sdk_token: (row, index) => ({
      ...row,
      id: sdkTokenAt(index),
      installation_id: installationAt(index - (index % 2)),
      generation: 2 - (index % 2),
      parent_id: index % 2 === 0 ? sdkTokenAt(index + 1) : null,
      attempt: index % 2 === 0 ? 'newest' : 'plans',
      state: index % 2 === 0 ? 'active' : 'superseded',
      activated_at: NOW - DAY,
      superseded_at: index % 2 === 0 ? null : NOW - (index % 600 === 7 ? 20 : 1) * DAY,
      expires_at: index % 600 === 8 ? NOW - 3 * DAY + index : NOW + DAY,
    }),
    recovery_attempt: (row, index, id) => ({
      ...row,
      id: `rca_${id}`,
      installation_id: installationAt(index),
      at: index % 600 === 7 ? NOW - 91 * DAY : NOW - DAY - index,
      counted: index % 50 === 0 ? 1 : 0,
    }),
    session: (row, index) => ({
      ...row,
      id: sessionAt(index),
      user_id: userAt(index),
      parent_id: index % 5 === 0 && index > 0 ? sessionAt(index - 1) : null,
      look_at: index % 100 === 7 ? NOW - 2 * DAY - index : NOW + DAY + index,
    }),
    ...agentCopies(NOW),
    ...trustCopies(NOW),
    ...alertCopies(NOW),
    ...deathCopies(NOW),
  }
  for (const [table, copy] of Object.entries(copies)) {
    const [row] = await sql(`select * from ${table} ${table === 'event' ? "where type = 'connection.refreshed'" : ''} limit 1`)
    if (row === undefined) throw new Error(`${table} is empty`)
    await insert(
      table,
      // Endpoints are as many as people made: a claim looks at each of them.
      ids.slice(0, table === 'webhook' ? 50 : ids.length).map((id, index) => copy(row, index, id)),
    )
  }
  await sql('analyze')
  return { org, connections: ids }
}

function cases(open: () => { readonly database: ExplainedDatabase; readonly world: World }) {
  test.each(CASES)('$name costs what it returns', async ({ run }) => {
    const { database, world } = open()
    database.complaints.length = 0
    await run(storeParts(database), world)
    expect(database.complaints).toEqual([])
  })
}

describe('statements on SQLite', () => {
  let folder: string
  let file: DatabaseSync
  let world: World

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'evergrant-plans-'))
    const path = join(folder, 'plans.db')
    const store = await openSqliteStore(path, options)
    file = new DatabaseSync(path, { timeout: 5_000 })
    file.function('now_ms', () => systemClock.wall())
    world = await fill(
      store,
      (text) => Promise.resolve(file.prepare(text).all() as Row[]),
      (table, rows) => {
        const columns = Object.keys(rows[0]!)
        const statement = file.prepare(`insert into ${table} (${columns.join(', ')}) values (${columns.map(() => '?').join(', ')})`)
        file.exec('begin')
        for (const row of rows) statement.run(...columns.map((column) => row[column] as string))
        file.exec('commit')
        return Promise.resolve()
      },
    )
    await store.close()
  })
  afterAll(async () => {
    file.close()
    await rm(folder, { recursive: true, force: true })
  })

  cases(() => ({
    world,
    database: new ExplainedDatabase(SQLITE, (step, complain) => {
      const plan = file.prepare(`explain query plan ${step.sql}`).all(...step.params)
      for (const { detail } of plan) if (scansTable(String(detail), step.sql)) complain(String(detail))
      const statement = file.prepare(step.sql)
      if (step.kind === 'rows') return Promise.resolve({ rows: statement.all(...step.params) as Row[], changes: 0 })
      return Promise.resolve({ rows: [], changes: Number(statement.run(...step.params).changes) })
    }),
  }))

  test('statistics that were taken while a queue was empty send nobody through the table beside it', async () => {
    const path = join(folder, 'empty-queue.db')
    file.exec(`vacuum into '${path}'`)
    const taken = new DatabaseSync(path)
    taken.exec('delete from event_outbox; analyze')
    taken.close()
    const empty = new DatabaseSync(path)
    const complaints: string[] = []
    const database = new ExplainedDatabase(SQLITE, (step) => {
      for (const { detail } of empty.prepare(`explain query plan ${step.sql}`).all(...step.params)) complaints.push(String(detail))
      // A queue of one event, as though it had come in since.
      return Promise.resolve({
        rows: step.sql.includes('from event_outbox') ? [{ organization_id: world.org.organization, event_id: 'evt_1' }] : [],
        changes: 0,
      })
    })
    await storeParts(database).alerts.pending(LIMIT)
    const inEvents = complaints.filter((detail) => /SCAN (e|event)\b/.test(detail))
    const naive = empty.prepare(
      'explain query plan select e.id from event_outbox o join event e on e.organization_id = o.organization_id and e.id = o.event_id',
    )
    expect({ inEvents, naive: naive.all().some(({ detail }) => /SCAN e\b/.test(String(detail))) }).toEqual({ inEvents: [], naive: true })
    empty.close()
  })

  test('a statement without an index is noticed', () => {
    const plan = file.prepare("explain query plan select id from connection where account_label = 'x'").all()
    expect(plan.some(({ detail }) => scansTable(String(detail), ''))).toBe(true)
  })

  test('the one row of `integration i` may be visited; those of `installation i` may not', () => {
    const scanned = (table: string) => {
      const sql = `select i.id from ${table} i where i.name = 'x'`
      return file
        .prepare(`explain query plan ${sql}`)
        .all()
        .some(({ detail }) => scansTable(String(detail), sql))
    }
    expect([scanned('integration'), scanned('installation')]).toEqual([false, true])
  })
})

/** `SCAN x` visits every row; in order of a partial index it visits what is waiting there, up to its limit. */
function scansTable(detail: string, sql: string): boolean {
  if (/^SCAN i\b/.test(detail) && /\bintegration i\b/.test(sql) && !/\binstallation i\b/.test(sql)) return false
  return (
    /^SCAN (?!json_each|CONSTANT|page|few|told|w$)/.test(detail) &&
    !/USING (COVERING )?INDEX (event_outbox_order|answer_uncut|answer_cut|connection_purge|health_failing|credential_suspect)/.test(detail)
  )
}

const { database: offered, skip } = await freshDatabase()

describe.skipIf(offered === null)(`statements on PostgreSQL${skip ?? ''}`, () => {
  const url = offered?.url ?? ''
  let client: pg.Client
  let world: World

  beforeAll(async () => {
    await postgresMigrations(url).up()
    const store = await openPostgresStore(url, options)
    client = new pg.Client(url)
    await client.connect()
    world = await fill(
      store,
      async (text) => (await client.query(text)).rows,
      async (table, rows) => {
        const asText = rows.map((row) =>
          Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value instanceof Uint8Array ? hex(value) : value])),
        )
        await client.query(`insert into ${table} select * from json_populate_recordset(null::${table}, $1)`, [JSON.stringify(asText)])
      },
    )
    await store.close()
  })
  afterAll(async () => {
    await client.end()
    await offered?.drop()
  })

  const plansOf = async (sql: string, params: readonly unknown[]): Promise<PlanNode> => {
    await client.query('begin')
    const explained = await client.query(`explain (analyze, format json) ${sql}`, [...params])
    await client.query('rollback')
    return explained.rows[0]['QUERY PLAN'][0].Plan
  }

  cases(() => ({
    world,
    database: new ExplainedDatabase(POSTGRES, async (step, complain) => {
      const sql = numberParameters(step.sql)
      const visited = mostRows(await plansOf(sql, step.params))
      if (visited.rows > LIMIT * ROWS_EACH) complain(`${visited.rows} rows in ${visited.node}`)
      const found = await client.query(sql, [...step.params])
      return { rows: found.rows, changes: found.rowCount ?? 0 }
    }),
  }))

  test('a statement without an index is noticed here, too', async () => {
    expect(mostRows(await plansOf("select id from connection where account_label = 'x'", [])).rows).toBeGreaterThan(LIMIT * ROWS_EACH)
  })
})

const hex = (bytes: Uint8Array): string => `\\x${Buffer.from(bytes).toString('hex')}`

interface PlanNode {
  readonly 'Node Type': string
  readonly 'Index Name'?: string
  readonly 'Relation Name'?: string
  readonly 'Actual Rows': number
  readonly 'Actual Loops': number
  readonly 'Rows Removed by Filter'?: number
  readonly Plans?: readonly PlanNode[]
}

/** The node that looked at most rows, kept or not. */
function mostRows(node: PlanNode): { readonly rows: number; readonly node: string } {
  const own = {
    rows: (node['Actual Rows'] + (node['Rows Removed by Filter'] ?? 0)) * node['Actual Loops'],
    node: `${node['Node Type']} ${node['Index Name'] ?? node['Relation Name'] ?? ''}`.trim(),
  }
  return (node.Plans ?? []).map(mostRows).reduce((most, other) => (other.rows > most.rows ? other : most), own)
}
