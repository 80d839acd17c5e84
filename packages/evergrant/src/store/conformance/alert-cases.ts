import assert from 'node:assert/strict'
import type { Alert, AlertItem, Notice } from '../../core/alert/alert.ts'
import type { AlertCommit } from '../../core/alert/alerts.ts'
import type { Channel } from '../../core/alert/channel.ts'
import type { OwnerLetter } from '../../core/alert/owner-letter.ts'
import { defaultRule } from '../../core/alert/rule.ts'
import type { ConnectionId, EventId } from '../../core/ids.ts'
import { newId } from '../../core/ids.ts'
import type { StoreCase } from './store-case.ts'
import { FUTURE, faultAt, PAST, TestOrganization } from './test-organization.ts'

export const NO_CHANGE: AlertCommit = { done: [], alerts: [], items: [], notices: [], deliveries: [], letters: [], events: [] }
const ALL = { limit: 50, cursor: null }

export function newAlert(org: TestOrganization, changes: Partial<Alert> = {}): Alert {
  return {
    id: newId('alt', org.context.entropy),
    organization: org.organization,
    kind: 'refresh_failing',
    key: `refresh_failing ${org.integration.id}`,
    severity: 'warning',
    about: { provider: 'Example', integration: 'example', code: null, name: null, value: null },
    subject: null,
    count: 1,
    total: 1,
    openedAt: PAST,
    lastAt: PAST,
    resolvedAt: null,
    resolvedBy: null,
    acknowledgedAt: null,
    acknowledgedBy: null,
    snoozedUntil: null,
    toldAt: PAST,
    toldTotal: 1,
    version: 1,
    ...changes,
  }
}

export function newChannel(org: TestOrganization, changes: Partial<Channel> = {}): Channel {
  const common = { sealed: new Uint8Array([1, 2]), to: [], digest: false, whenWell: false, webhook: null, host: 'hooks.example', quiet: null }
  const times = { lastSentAt: null, lastError: null, createdAt: PAST, updatedAt: PAST, version: 1 }
  return {
    id: newId('chn', org.context.entropy),
    organization: org.organization,
    kind: 'slack',
    name: 'ops',
    enabled: true,
    ...common,
    ...times,
    ...changes,
  }
}

export function itemOf(alert: Alert, connection: ConnectionId, changes: Partial<AlertItem> = {}): AlertItem {
  return { alert: alert.id, organization: alert.organization, kind: alert.kind, subject: connection, connection, at: PAST, resolvedAt: null, ...changes }
}

/** What waits of one organization; cases share a store. */
async function pendingOf(org: TestOrganization): Promise<readonly EventId[]> {
  const pending = await org.store.alerts.pending(100_000)
  return pending.filter(({ organization }) => organization === org.organization).map(({ id }) => id)
}

/** Alerts, what waits to be told, and what was told. */
export const alertCases: readonly StoreCase[] = [
  {
    name: 'an event is noted with the transaction that writes it, once; a routine refresh is not',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const before = await pendingOf(org)
      const [event, refreshed] = [org.event('connection.needs_reauth'), org.event('connection.refreshed')]
      for (const one of [event, event, refreshed]) await store.events.append(one)
      assert.deepEqual(await pendingOf(org), [...before, event.id])
    },
  },
  {
    name: 'what follows from an event is written with its settlement, and by one of two that read it',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const done = await pendingOf(org)
      assert.ok(done.length > 0)
      const [one, other] = [newAlert(org), newAlert(org, { key: 'another cause' })]
      const outcomes = await Promise.all([one, other].map((alert) => store.alerts.commit({ ...NO_CHANGE, done, alerts: [{ alert, before: null }] })))
      assert.deepEqual([...outcomes].sort(), ['committed', 'raced'])
      assert.equal((await store.alerts.open(org.organization)).length, 1)
      assert.deepEqual(await pendingOf(org), [])
    },
  },
  {
    name: 'of one cause one alert is open, a write follows from what it read, and after its end another may open',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const alert = newAlert(org)
      const write = (next: Alert, before: number | null) => store.alerts.commit({ ...NO_CHANGE, alerts: [{ alert: next, before }] })
      assert.equal(await write(alert, null), 'committed')
      assert.equal(await write(newAlert(org), null), 'raced')
      const next = { ...alert, count: 2, version: 2 }
      assert.equal(await write(next, 1), 'committed')
      assert.equal(await write({ ...next, count: 9 }, 1), 'raced')
      assert.deepEqual(await store.alerts.get(org.organization, alert.id), next)
      assert.equal(await write({ ...next, resolvedAt: PAST + 5, resolvedBy: 'healed', version: 3 }, 2), 'committed')
      assert.equal(await write(newAlert(org), null), 'committed')
      assert.deepEqual(
        [(await store.alerts.list(org.organization, true, ALL)).items.length, (await store.alerts.list(org.organization, null, ALL)).items.length],
        [1, 2],
      )
    },
  },
  {
    name: 'a commit that is raced writes nothing of itself',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const alert = newAlert(org)
      const connection = await org.connect()
      const stale = { alert: { ...alert, version: 2 }, before: 1 }
      const outcome = await store.alerts.commit({
        ...NO_CHANGE,
        alerts: [{ alert, before: null }, stale, { ...stale, before: 7 }],
        items: [itemOf(alert, connection)],
      })
      assert.equal(outcome, 'raced')
      assert.equal(await store.alerts.get(org.organization, alert.id), undefined)
      assert.deepEqual(await store.alerts.itemsOf(org.organization, [connection]), [])
    },
  },
  {
    name: 'a connection that fails for a while is found until it is in an alert, and is healed when it fails no more',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      await org.connect()
      await store.credentials.commitFailure({
        ...{ connection, organization: org.organization, intent: null, attempt: org.intent(), presentedGeneration: 1, answer: null, effect: 'untouched' },
        ...{ answered: false, fault: faultAt(PAST), countsAsFailure: true, nextAttemptAt: null, dueAt: FUTURE, event: null, death: null },
      })
      const find = () => store.alerts.failing(org.organization, FUTURE, 10)
      assert.deepEqual(
        (await find()).map((one) => one.connection),
        [connection],
      )
      assert.deepEqual(await store.alerts.failing(org.organization, PAST - 1, 10), [])
      assert.equal((await store.alerts.outcomes(org.organization, 0, 100)).failing, 1)
      const alert = newAlert(org)
      await store.alerts.commit({ ...NO_CHANGE, alerts: [{ alert, before: null }], items: [itemOf(alert, connection)] })
      assert.deepEqual(await find(), [])
      assert.deepEqual(await store.alerts.healed(org.organization, 10), [])
      await store.connections.setPaused(org.organization, connection, true, null, org.event('connection.paused', connection))
      assert.deepEqual(
        (await store.alerts.healed(org.organization, 10)).map(({ subject }) => subject),
        [connection],
      )
    },
  },
  {
    name: 'rules are kept over the defaults, each by its kind',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const rule = { ...defaultRule('expires_soon'), threshold: 3, channels: [] }
      await store.alerts.putRules(org.organization, [rule, defaultRule('reuse_detected')], org.event('alert_rules.updated'))
      await store.alerts.putRules(org.organization, [{ ...rule, enabled: false }], org.event('alert_rules.updated'))
      const kept = await store.alerts.rules(org.organization)
      assert.deepEqual([kept.length, kept.find(({ kind }) => kind === 'expires_soon')], [2, { ...rule, enabled: false }])
    },
  },
  {
    name: 'a notice is taken by one, comes back when its taker is lost, and goes with its channel',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const [alert, channel] = [newAlert(org), newChannel(org)]
      await store.channels.insert(channel, org.event('channel.created'))
      const common = {
        organization: org.organization,
        alert: alert.id,
        reason: 'opened',
        state: 'waiting',
        attempts: 0,
        nextAt: PAST,
        createdAt: PAST,
      } as const
      const notice: Notice = { id: newId('ntc', context.entropy), channel: channel.id, ...common }
      const orphan: Notice = { ...notice, id: newId('ntc', context.entropy), channel: newId('chn', context.entropy) }
      await store.alerts.commit({ ...NO_CHANGE, alerts: [{ alert, before: null }], notices: [notice, orphan] })
      const take = async (now: number) => (await store.alerts.takeNotices(now, now + 10, 1_000)).filter(({ alert: of }) => of === alert.id)
      assert.deepEqual(await take(PAST), [notice])
      assert.deepEqual(await take(PAST + 9), [])
      assert.equal((await take(PAST + 10))[0]?.attempts, 1)
      await store.alerts.settleNotices([{ id: notice.id, state: 'sent', nextAt: null }])
      assert.deepEqual(await take(FUTURE), [])
      assert.equal(await store.channels.remove(org.organization, channel.id, org.event('channel.deleted')), 'removed')
      assert.deepEqual(await store.channels.list(org.organization), [])
    },
  },
  {
    name: 'a channel changes by its version, and keeps what became of its messages',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const channel = newChannel(org, { quiet: { from: '22:00', to: '07:00', timeZone: 'Europe/Berlin' }, to: ['a@example.com'] })
      await store.channels.insert(channel, org.event('channel.created'))
      await store.channels.note(channel.id, PAST + 1, '503', false)
      const next = { ...channel, name: 'night', version: 2 }
      assert.equal(await store.channels.update(next, org.event('channel.updated')), 'updated')
      assert.equal(await store.channels.update(next, org.event('channel.updated')), 'moved')
      assert.deepEqual(await store.channels.get(org.organization, channel.id), { ...next, lastError: '503' })
      await store.channels.note(channel.id, PAST + 2, '410', true)
      await store.channels.note(channel.id, PAST + 3, null, false)
      const { enabled, lastSentAt, lastError, version } = (await store.channels.get(org.organization, channel.id)) ?? channel
      assert.deepEqual({ enabled, lastSentAt, lastError, version }, { enabled: false, lastSentAt: PAST + 3, lastError: null, version: 3 })
    },
  },
  {
    name: 'a channel that is told every day is claimed by one of several, and listed while it is on',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const mail = { kind: 'email', sealed: null, host: null, to: ['a@example.com'], digest: true } as const
      const [daily, other] = [newChannel(org, { ...mail, whenWell: true }), newChannel(org, mail)]
      for (const channel of [daily, other]) await store.channels.insert(channel, org.event('channel.created'))
      const listed = async () => (await store.channels.everyDay()).filter(({ organization }) => organization === org.organization)
      assert.deepEqual(await listed(), [daily])
      assert.deepEqual(await store.channels.get(org.organization, other.id), other)
      const claims = await Promise.all([1, 2, 3].map((more) => store.channels.claimDay(daily.id, null, PAST + more)))
      assert.equal(claims.filter(Boolean).length, 1)
      const lastSentAt = (await store.channels.get(org.organization, daily.id))?.lastSentAt ?? null
      assert.equal(await store.channels.claimDay(daily.id, null, PAST + 9), false)
      assert.equal(await store.channels.claimDay(daily.id, lastSentAt, PAST + 9), true)
      await store.channels.note(daily.id, PAST + 10, '550', true)
      assert.deepEqual(await listed(), [])
    },
  },
  {
    name: 'of one cause an owner gets one letter, and one that was taken is never taken again by itself',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const common = { organization: org.organization, connection, why: 'needs_reauth', cause: 'ended 1', state: 'waiting', attempts: 0 } as const
      const letter = (changes: Partial<OwnerLetter> = {}): OwnerLetter => ({
        id: newId('ltr', context.entropy),
        ...common,
        nextAt: PAST,
        createdAt: PAST,
        ...changes,
      })
      const [first, again, later] = [letter(), letter(), letter({ cause: 'ended 2' })]
      await store.alerts.commit({ ...NO_CHANGE, letters: [first, again] })
      await store.alerts.commit({ ...NO_CHANGE, letters: [later] })
      const take = async () => (await store.alerts.takeLetters(FUTURE, 1_000)).filter((one) => one.connection === connection).map(({ id }) => id)
      assert.deepEqual((await take()).sort(), [first.id, later.id].sort())
      assert.deepEqual(await take(), [])
      await store.alerts.settleLetter(first.id, 'waiting', PAST + 1, null)
      assert.deepEqual(await take(), [first.id])
    },
  },
  {
    name: 'what waits of one organization can be passed by',
    run: async (store, context) => {
      const [one, other] = [await TestOrganization.open(store, context), await TestOrganization.open(store, context)]
      for (const org of [one, other]) await store.events.append(org.event('connection.needs_reauth'))
      const found = new Set((await store.alerts.pending(100_000, [one.organization])).map(({ organization }) => organization))
      assert.deepEqual([found.has(one.organization), found.has(other.organization)], [false, true])
    },
  },
  {
    name: 'a lease that a clock far ahead took lasts no longer than one of the clock that asks',
    run: async (store, context) => {
      const name = context.entropy.uuid()
      const lease = (holder: string, now: number) => store.alerts.lease(name, holder, now, now + 10)
      const ahead = PAST + 86_400_000
      assert.deepEqual([await lease('a', ahead), await lease('b', PAST), await lease('a', PAST + 1), await lease('b', PAST + 2)], [true, true, false, true])
    },
  },
  {
    name: 'clocks that differ by less than a lease take it from nobody',
    run: async (store, context) => {
      const name = context.entropy.uuid()
      const lease = (holder: string, now: number) => store.alerts.lease(name, holder, now, now + 10)
      assert.deepEqual([await lease('a', PAST + 9), await lease('b', PAST), await lease('b', PAST + 9)], [true, false, false])
    },
  },
  {
    name: 'a chore has one holder at a time, who may go on, and is followed when its time is over',
    run: async (store, context) => {
      const name = context.entropy.uuid()
      const lease = (holder: string, now: number) => store.alerts.lease(name, holder, now, now + 10)
      assert.deepEqual(
        [await lease('a', PAST), await lease('b', PAST + 9), await lease('a', PAST + 9), await lease('b', PAST + 18), await lease('b', PAST + 19)],
        [true, false, true, false, true],
      )
    },
  },
  {
    name: 'what is over long ago goes, with all that hangs on it; what is open stays',
    run: async (store, context) => {
      const org = await TestOrganization.open(store, context)
      const connection = await org.connect()
      const [open, over] = [newAlert(org), newAlert(org, { key: 'over', resolvedAt: 1_000 })]
      await store.alerts.commit({ ...NO_CHANGE, alerts: [open, over].map((alert) => ({ alert, before: null })), items: [itemOf(over, connection)] })
      assert.ok((await store.alerts.purge(2_000, 1_000)) >= 1)
      assert.deepEqual(
        (await store.alerts.list(org.organization, null, ALL)).items.map(({ id }) => id),
        [open.id],
      )
      assert.deepEqual(await store.alerts.items(over.id, 10), [])
    },
  },
]
