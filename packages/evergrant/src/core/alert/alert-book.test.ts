import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { newId, type OrganizationId } from '../ids.ts'
import { MINUTE } from '../time.ts'
import type { Alert, AlertItem } from './alert.ts'
import { AlertBook, type BookParts } from './alert-book.ts'
import { alertWords } from './alert-words.ts'
import type { Channel } from './channel.ts'
import { ALERT_KINDS, completeRules } from './rule.ts'
import { NOTHING, type Signal } from './signals.ts'

const NOW = Date.UTC(2026, 0, 15, 12)
const organization: OrganizationId = newId('org', systemEntropy)
const common = {
  sealed: null,
  to: ['a@example.com'],
  webhook: null,
  host: null,
  quiet: null,
  lastSentAt: null,
  lastError: null,
  createdAt: 0,
  updatedAt: 0,
  version: 1,
}
const channel = (changes: Partial<Channel> = {}): Channel => ({
  ...{ id: newId('chn', systemEntropy), organization, kind: 'email', name: 'ops', enabled: true, digest: false, whenWell: false },
  ...common,
  ...changes,
})
const rules = new Map(completeRules([]).map((rule) => [rule.kind, rule] as const))

/** What a store would hold after each book. */
class Shelf {
  alerts: Alert[] = []
  items: AlertItem[] = []
  readonly channels: readonly Channel[]

  constructor(channels: readonly Channel[] = [channel()]) {
    this.channels = channels
  }

  write(work: (book: AlertBook) => void, now = NOW, parts: Partial<BookParts> = {}) {
    const open = this.alerts.filter(({ resolvedAt }) => resolvedAt === null)
    const items = this.items.filter(({ resolvedAt }) => resolvedAt === null)
    const minuteOfDay = (at: number) => Math.floor(at / MINUTE) % 1_440
    const book = new AlertBook({ organization, rules, channels: this.channels, open, items, now, entropy: systemEntropy, minuteOfDay, ...parts })
    work(book)
    const changes = book.changes()
    for (const { alert } of changes.alerts) this.alerts = [...this.alerts.filter(({ id }) => id !== alert.id), alert]
    for (const item of changes.items) this.items = [...this.items.filter((old) => old.alert !== item.alert || old.subject !== item.subject), item]
    return changes
  }
}

const signal = (subject: string, changes: Partial<Signal> = {}): Signal => ({
  ...{ organization, kind: 'connection_needs_reauth', cause: 'google revoked', subject, connection: null, at: NOW },
  about: { ...NOTHING, provider: 'Google', code: 'connection_revoked' },
  ...changes,
})
const relief = (subject: string) => ({ organization, kinds: ['connection_needs_reauth'] as const, subject })

test('what shares a cause is one alert, told once; the same subject again is nothing new', () => {
  const shelf = new Shelf()
  const changes = shelf.write((book) => {
    for (const subject of ['a', 'b', 'a']) book.raise(signal(subject))
    book.raise(signal('c', { cause: 'google expired' }))
  })
  expect(changes.alerts.map(({ alert }) => [alert.count, alert.total])).toEqual([
    [2, 2],
    [1, 1],
  ])
  expect(changes.notices.map(({ reason }) => reason)).toEqual(['opened', 'opened'])
  expect(changes.events.map(({ type }) => type)).toEqual(['alert.opened', 'alert.opened'])
  expect(shelf.write((book) => book.raise(signal('b'))).notices).toEqual([])
})

test('an alert is over when the last of what joined it is well, and opens anew after that', () => {
  const shelf = new Shelf()
  shelf.write((book) => ['a', 'b'].forEach((subject) => void book.raise(signal(subject))))
  expect(shelf.write((book) => book.relieve(relief('a'))).notices).toEqual([])
  const over = shelf.write((book) => book.relieve(relief('b')))
  expect(over.alerts.map(({ alert }) => [alert.resolvedBy, alert.count, alert.total])).toEqual([['healed', 0, 2]])
  expect(over.notices.map(({ reason }) => reason)).toEqual(['resolved'])
  expect(shelf.write((book) => book.raise(signal('a'))).events.map(({ type }) => type)).toEqual(['alert.opened'])
  expect(shelf.alerts).toHaveLength(2)
})

test('one that breaks again in the same breath as it healed leaves one closed and one open alert', () => {
  const shelf = new Shelf()
  shelf.write((book) => book.raise(signal('a')))
  shelf.write((book) => {
    book.relieve(relief('a'))
    book.raise(signal('a'))
  })
  expect(shelf.alerts.map(({ resolvedAt }) => resolvedAt)).toEqual([NOW, null])
})

test('what is well again leaves an alert that a person ended as well, so that it can join the next one', () => {
  const shelf = new Shelf()
  shelf.write((book) => ['a', 'b'].forEach((subject) => void book.raise(signal(subject))))
  const [alert] = shelf.alerts
  shelf.write((book) => void (alert === undefined ? undefined : book.resolve(alert, 'user:1')))
  expect(shelf.alerts.map(({ resolvedBy }) => resolvedBy)).toEqual(['user:1'])
  const over = shelf.write((book) => book.relieve(relief('a')), NOW + MINUTE)
  expect([over.alerts, over.notices]).toEqual([[], []])
  expect(shelf.items.map(({ subject, resolvedAt }) => [subject, resolvedAt]).sort()).toEqual([
    ['a', NOW + MINUTE],
    ['b', null],
  ])
})

test('what joins later is told together when the time of grouping is over, and not after somebody took it on', () => {
  const shelf = new Shelf()
  shelf.write((book) => book.raise(signal('a')))
  for (const subject of ['b', 'c']) shelf.write((book) => book.raise(signal(subject)), NOW + MINUTE)
  expect(shelf.write((book) => book.tend(), NOW + 59 * MINUTE).notices).toEqual([])
  expect(shelf.write((book) => book.tend(), NOW + 60 * MINUTE).notices.map(({ reason }) => reason)).toEqual(['grew'])
  expect(shelf.write((book) => book.tend(), NOW + 600 * MINUTE).notices).toEqual([])
  shelf.alerts = shelf.alerts.map((alert) => ({ ...alert, acknowledgedAt: NOW }))
  shelf.write((book) => book.raise(signal('d')))
  expect(shelf.write((book) => book.tend(), NOW + 600 * MINUTE).notices).toEqual([])
})

test('a snooze is silent until it is over, and then reminds once', () => {
  const shelf = new Shelf()
  shelf.write((book) => book.raise(signal('a')))
  shelf.alerts = shelf.alerts.map((alert) => ({ ...alert, snoozedUntil: NOW + 10 * MINUTE }))
  shelf.write((book) => book.raise(signal('b')))
  expect(shelf.write((book) => book.tend(), NOW + 9 * MINUTE).notices).toEqual([])
  expect(shelf.write((book) => book.tend(), NOW + 10 * MINUTE).notices.map(({ reason }) => reason)).toEqual(['reminder'])
  expect(shelf.write((book) => book.tend(), NOW + 11 * MINUTE).notices).toEqual([])
})

test('quiet hours hold what is not critical, a digest holds everything until the morning, a rule names its channels', () => {
  const quiet = { from: '11:00', to: '14:00', timeZone: 'UTC' }
  const [calm, daily, other] = [channel({ quiet }), channel({ digest: true }), channel({ kind: 'slack' })]
  const shelf = new Shelf([calm, daily, other, channel({ enabled: false })])
  const when = (kind: Signal['kind'], chosen = rules) =>
    shelf
      .write((book) => book.raise(signal('a', { kind, cause: kind })), NOW, { rules: chosen })
      .notices.map(({ channel: id, nextAt }) => [id, (nextAt ?? 0) - NOW])
  expect(when('connection_needs_reauth')).toEqual([
    [calm.id, 120 * MINUTE],
    [daily.id, 20 * 60 * MINUTE],
    [other.id, 0],
  ])
  expect(when('reuse_detected')).toEqual([
    [calm.id, 0],
    [daily.id, 20 * 60 * MINUTE],
    [other.id, 0],
  ])
  const named = new Map(completeRules([]).map((rule) => [rule.kind, { ...rule, channels: [other.id] }] as const))
  expect(when('refresh_failing', named)).toEqual([[other.id, 0]])
  const off = new Map(completeRules([]).map((rule) => [rule.kind, { ...rule, enabled: false }] as const))
  expect(when('clone_detected', off)).toEqual([])
})

test('a webhook channel hears of the beginning and of the end, as an event on its way to that endpoint', () => {
  const webhook = newId('whk', systemEntropy)
  const shelf = new Shelf([channel({ kind: 'webhook', webhook })])
  const opened = shelf.write((book) => book.raise(signal('a')))
  expect([opened.notices, opened.deliveries.map(({ endpoint, type, event }) => [endpoint, type, event])]).toEqual([
    [],
    [[webhook, 'alert.opened', opened.events[0]?.id]],
  ])
  expect(shelf.write((book) => book.relieve(relief('a'))).deliveries.map(({ type }) => type)).toEqual(['alert.resolved'])
})

test('every kind has words, for one and for many, open and over', () => {
  for (const kind of ALERT_KINDS)
    for (const [count, resolvedAt] of [
      [1, null],
      [1_234, null],
      [0, NOW],
    ] as const) {
      const { title, text } = alertWords({
        kind,
        about: { ...NOTHING, provider: 'Google', code: 'connection_revoked', name: 'x', value: 3 },
        count,
        total: 7,
        resolvedAt,
      })
      expect(`${title} ${text}`).not.toMatch(/\{|null|undefined|\? /)
    }
})

test('a time zone that this node does not know keeps nothing from anybody: it is told at once', () => {
  const quiet = { from: '00:00', to: '23:59', timeZone: 'Mars/Olympus' }
  const minuteOfDay = () => {
    throw new RangeError('Invalid time zone specified: Mars/Olympus')
  }
  const shelf = new Shelf([channel({ quiet }), channel({ quiet, digest: true })])
  const { notices } = shelf.write((book) => book.raise(signal('a', { kind: 'expires_soon' })), NOW, { minuteOfDay })
  expect(notices.map(({ nextAt }) => nextAt)).toEqual([NOW, NOW])
})
