import assert from 'node:assert/strict'
import type { ConnectFlow, ConnectSession, KeptCode } from '../../core/connect/connect-sessions.ts'
import { type IntentId, idFrom, newId } from '../../core/ids.ts'
import { HOUR } from '../../core/time.ts'
import type { StoreCase } from './store-case.ts'
import { bytesOf, FUTURE, faultAt, PAST, TestOrganization } from './test-organization.ts'

export const sessionCases: readonly StoreCase[] = [
  {
    name: 'a connect session comes back as it was stored, by each of its names',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const session = await stored(org, { flow: flowOf(org), state: 'started', scopes: ['read'], returnUrl: 'https://app.example.com/done' })
      assert.deepEqual(await store.connectSessions.load(session.id), session)
      assert.deepEqual(await store.connectSessions.byTokenHash(session.tokenHash), session)
      assert.deepEqual(await store.connectSessions.byStateHash(session.flow?.stateHash ?? ''), session)
      assert.deepEqual(await store.connectSessions.get(org.organization, session.id), session)
      assert.equal(await store.connectSessions.get((await TestOrganization.open(store, context)).organization, session.id), undefined)
    },
  },
  {
    name: 'of twenty concurrent callbacks exactly one goes on to the exchange',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const session = await stored(org)
      const flow = flowOf(org)
      assert.equal(await store.connectSessions.start(session.id, flow, { site: 'eu' }, org.event('connect.started')), true)
      assert.equal(await store.connectSessions.beginExchange(session.id, 'another state', org.intent()), false)
      const intents = Array.from({ length: 20 }, () => org.intent())
      const begun = await Promise.all(intents.map((intent) => store.connectSessions.beginExchange(session.id, flow.stateHash, intent)))
      assert.equal(begun.filter(Boolean).length, 1)
      const winner = intents[begun.indexOf(true)]
      const now = await store.connectSessions.load(session.id)
      assert.deepEqual([now?.state, now?.flow?.intent, now?.variables], ['exchanging', winner, { site: 'eu' }])
      assert.equal(await store.connectSessions.start(session.id, flowOf(org), {}, org.event('connect.started')), false)
    },
  },
  {
    name: 'a grant is staged once by its own intent, and completed exactly once',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const { session, intent } = await exchanging(org)
      const stage = (by: typeof intent) => store.connectSessions.stage(session.id, by, staged, org.answer(by), org.event('connect.started'))
      assert.equal(await stage(org.intent()), false)
      assert.deepEqual([await stage(intent), await stage(intent)], [true, true])
      const connection = await org.connect()
      const completed = await Promise.all(
        Array.from({ length: 10 }, () => store.connectSessions.complete(session.id, connection, org.event('connect.completed'))),
      )
      assert.equal(completed.filter(Boolean).length, 1)
      const now = await store.connectSessions.load(session.id)
      assert.deepEqual([now?.state, now?.result, now?.staged, now?.flow?.intent], ['completed', connection, null, intent])
      assert.equal(await store.connectSessions.burn(session.id, faultAt(PAST), org.event('connect.failed')), false)
    },
  },
  {
    name: 'a failed session is open again with its fault, its flow kept and its staged grant gone',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const { session, intent } = await exchanging(org)
      await store.connectSessions.stage(session.id, intent, staged, org.answer(intent), null)
      await store.connectSessions.fail(await loaded(org, session), faultAt(PAST, 'account_mismatch'), org.event('connect.failed'))
      const now = await store.connectSessions.load(session.id)
      assert.deepEqual([now?.state, now?.fault?.code, now?.staged, now?.flow?.intent], ['open', 'account_mismatch', null, intent])
      assert.equal(await store.connectSessions.start(session.id, flowOf(org), {}, org.event('connect.started')), true)
      assert.equal((await store.connectSessions.load(session.id))?.fault, null)
    },
  },
  {
    name: 'a failure ends the run that failed and its exchange, and none that came after it',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const { connectSessions } = store
      const session = await stored(org)
      const states: string[] = []
      const fail = async (seen: ConnectSession) => {
        await connectSessions.fail(seen, faultAt(PAST), { ...org.event('connect.failed'), subject: session.id })
        states.push((await loaded(org, session)).state)
      }
      const run = async () => {
        const flow = flowOf(org)
        const intent = org.intent()
        await connectSessions.start(session.id, flow, {}, org.event('connect.started'))
        const started = await loaded(org, session)
        await connectSessions.beginExchange(session.id, flow.stateHash, intent)
        const exchanging = await loaded(org, session)
        return { intent, started, exchanging }
      }
      const first = await run()
      await fail(first.started)
      await fail(first.exchanging)
      const second = await run()
      await fail(first.exchanging)
      await connectSessions.stage(session.id, second.intent, staged, org.answer(second.intent), null)
      for (const seen of [first.exchanging, second.started, second.exchanging]) await fail(seen)
      assert.deepEqual(states, ['exchanging', 'open', 'exchanging', 'staged', 'staged', 'open'])
      const { items } = await store.events.list(org.organization, { subject: session.id }, { limit: 10, cursor: null })
      assert.equal(items.length, 2)
    },
  },
  {
    name: 'a session that leaves the choice to the end user takes the one that its start names',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const another = org.newIntegration()
      await store.integrations.insert(another, org.event('integration.created'))
      const session = await stored(org, { choices: [org.integration.id, another.id] })
      assert.deepEqual(await store.connectSessions.load(session.id), session)
      assert.equal(await store.connectSessions.start(session.id, flowOf(org), {}, org.event('connect.started'), another.id), true)
      const now = await store.connectSessions.load(session.id)
      assert.deepEqual([now?.state, now?.integration, now?.choices], ['started', another.id, session.choices])
    },
  },
  {
    name: 'a burned session is over and its staged grant is gone',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const { session, intent } = await exchanging(org)
      await store.connectSessions.stage(session.id, intent, staged, org.answer(intent), null)
      assert.equal(await store.connectSessions.burn(session.id, faultAt(PAST, 'conflict'), org.event('connect.refused')), true)
      assert.equal(await store.connectSessions.burn(session.id, faultAt(PAST, 'conflict'), org.event('connect.refused')), false)
      const now = await store.connectSessions.load(session.id)
      assert.deepEqual([now?.state, now?.staged], ['burned', null])
      assert.equal(await store.connectSessions.start(session.id, flowOf(org), {}, org.event('connect.started')), false)
      assert.equal(await store.connectSessions.complete(session.id, org.newConnection().id, org.event('connect.completed')), false)
    },
  },
  {
    name: 'exchanges that a crash interrupted are open again, and ended sessions are deleted',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const { session } = await exchanging(org, idFrom('itn', PAST))
      assert.equal(await store.connectSessions.reopenInterrupted(PAST, faultAt(PAST, 'outcome_unknown')), 0)
      assert.ok((await store.connectSessions.reopenInterrupted(PAST + 1, faultAt(PAST, 'outcome_unknown'))) >= 1)
      assert.deepEqual([(await store.connectSessions.load(session.id))?.state], ['open'])
      const old = await stored(org, { expiresAt: 1_000 })
      await store.connectSessions.keepPushed(codeOf(org, 'old', { receivedAt: 500, until: 1_000 }))
      assert.equal(await store.connectSessions.purge(2_000, 10), 1)
      assert.equal(await store.connectSessions.load(old.id), undefined)
      assert.equal(await store.connectSessions.pushed(org.integration.id, 'old'), undefined)
      assert.notEqual(await store.connectSessions.load(session.id), undefined)
    },
  },
  {
    name: 'an exchange of another node is old by when it began, not by when its end user went to the provider',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const { session, intent } = await exchanging(org, idFrom('itn', PAST + HOUR))
      await store.connectSessions.reopenInterrupted(PAST + HOUR, faultAt(PAST, 'outcome_unknown'))
      assert.equal((await store.connectSessions.load(session.id))?.state, 'exchanging')
      assert.equal(await store.connectSessions.stage(session.id, intent, staged, org.answer(intent), null), true)
      const { session: interrupted } = await exchanging(org, idFrom('itn', PAST + HOUR))
      await store.connectSessions.reopenInterrupted(PAST + HOUR + 1, faultAt(PAST, 'outcome_unknown'))
      assert.equal((await store.connectSessions.load(interrupted.id))?.state, 'open')
    },
  },
  {
    name: 'an exchange whose answer a node has is not opened anew while that node says so, and is when it has fallen silent',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const old = idFrom('itn', PAST)
      const [kept, lost] = [await exchanging(org, `${old.slice(0, -1)}1` as IntentId), await exchanging(org, `${old.slice(0, -1)}2` as IntentId)]
      const states = async () => [(await store.connectSessions.load(kept.session.id))?.state, (await store.connectSessions.load(lost.session.id))?.state]
      await store.connectSessions.noteKept([kept.intent, org.intent()], PAST + HOUR)
      assert.equal((await store.connectSessions.load(kept.session.id))?.staged, null)
      await store.connectSessions.reopenInterrupted(PAST + HOUR, faultAt(PAST, 'outcome_unknown'))
      assert.deepEqual(await states(), ['exchanging', 'open'])
      // What was said of an exchange says nothing of the next one.
      await store.connectSessions.noteKept([lost.intent], PAST + 2 * HOUR)
      await store.connectSessions.reopenInterrupted(PAST + HOUR + 1, faultAt(PAST, 'outcome_unknown'))
      assert.deepEqual(await states(), ['open', 'open'])
      const flow = flowOf(org)
      await store.connectSessions.start(kept.session.id, flow, {}, org.event('connect.started'))
      await store.connectSessions.beginExchange(kept.session.id, flow.stateHash, `${old.slice(0, -1)}3` as IntentId)
      await store.connectSessions.reopenInterrupted(PAST + 1, faultAt(PAST, 'outcome_unknown'))
      assert.deepEqual(await states(), ['open', 'open'])
    },
  },
  {
    name: 'an exchange whose answer waited is staged as any other when it goes on',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const { session, intent } = await exchanging(org)
      await store.connectSessions.noteKept([intent], PAST)
      assert.equal(await store.connectSessions.stage(session.id, intent, { ...staged, stagedAt: PAST + 1 }, org.answer(intent), null), true)
      await store.connectSessions.noteKept([intent], PAST + HOUR)
      const now = await store.connectSessions.load(session.id)
      assert.deepEqual([now?.state, now?.staged?.stagedAt], ['staged', PAST + 1])
    },
  },
  {
    name: 'a pushed code waits under its key, the latest for each, and makes room for newer ones when it is too old',
    async run(store, context) {
      const org = await TestOrganization.open(store, context)
      const other = await TestOrganization.open(store, context)
      const { id } = org.integration
      assert.equal(await store.connectSessions.pushed(id, 'one'), undefined)
      const first = codeOf(org, 'one')
      await store.connectSessions.keepPushed(first)
      await store.connectSessions.keepPushed(first)
      assert.deepEqual(await store.connectSessions.pushed(id, 'one'), first)
      assert.equal(await store.connectSessions.pushed(other.integration.id, 'one'), undefined)
      const second = codeOf(org, 'one', { code: bytesOf('another code'), receivedAt: PAST + 5 })
      await store.connectSessions.keepPushed(second)
      assert.deepEqual(await store.connectSessions.pushed(id, 'one'), second)
      await store.connectSessions.keepPushed(codeOf(org, 'two', { receivedAt: second.until + 1, until: second.until + 2 }))
      assert.equal(await store.connectSessions.pushed(id, 'one'), undefined)
    },
  },
]

function codeOf(org: TestOrganization, key: string, changes: Partial<KeptCode> = {}): KeptCode {
  return { integration: org.integration.id, key, code: bytesOf('sealed code'), facts: { place: key }, receivedAt: PAST, until: PAST + 10, ...changes }
}

async function loaded({ store }: TestOrganization, { id }: ConnectSession): Promise<ConnectSession> {
  const session = await store.connectSessions.load(id)
  if (session === undefined) throw new Error(`${id} is not stored`)
  return session
}

const staged = { grant: bytesOf('sealed grant'), account: 'account', accountLabel: 'Account', codeHash: 'code hash', stagedAt: PAST }

function flowOf(org: TestOrganization): ConnectFlow {
  return {
    stateHash: `state ${org.intent()}`,
    browserHash: 'browser',
    secret: bytesOf('sealed verifier'),
    redirectUri: 'https://evergrant.example.com/connect/callback',
    issuer: null,
    startedAt: PAST,
    expiresAt: FUTURE,
    intent: null,
  }
}

async function stored(org: TestOrganization, changes: Partial<ConnectSession> = {}): Promise<ConnectSession> {
  const id = newId('cs', org.context.entropy)
  const session: ConnectSession = {
    id,
    organization: org.organization,
    integration: org.integration.id,
    owner: 'owner',
    mode: 'verified',
    connection: null,
    tokenHash: `hash of ${id}`,
    state: 'open',
    scopes: null,
    returnUrl: null,
    createdAt: PAST,
    expiresAt: FUTURE,
    flow: null,
    staged: null,
    fault: null,
    result: null,
    variables: {},
    ...changes,
  }
  await org.store.connectSessions.insert(session, org.event('connect.session_created'))
  return session
}

async function exchanging(org: TestOrganization, intent: IntentId = org.intent()) {
  const session = await stored(org)
  const flow = flowOf(org)
  await org.store.connectSessions.start(session.id, flow, {}, org.event('connect.started'))
  assert.equal(await org.store.connectSessions.beginExchange(session.id, flow.stateHash, intent), true)
  return { session, intent }
}
