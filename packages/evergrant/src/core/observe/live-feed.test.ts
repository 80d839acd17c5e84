import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { type AuditEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import { idFrom, newId } from '../ids.ts'
import { DAY, SECOND } from '../time.ts'
import { LiveFeed } from './live-feed.ts'

const START = 1_000 * DAY
const organization = newId('org', systemEntropy)
const connection = newId('con', systemEntropy)

function eventAt(at: number): AuditEvent {
  return { id: idFrom('evt', at), organization, type: 'connection.paused', at, actor: SYSTEM_ACTOR, connection, subject: null, data: {} }
}

function lab(more: { readonly readRow?: () => Promise<undefined>; readonly events?: (after: string) => Promise<readonly AuditEvent[]> } = {}) {
  const time = createManualTime(START)
  const told: string[] = []
  const feed = new LiveFeed({
    hub: {
      heard: () => true,
      organizations: () => [organization],
      publish: (_organization, { event, data }) => void told.push(`${event} ${data}`),
      reset: () => void told.push('reset'),
      recheck: () => {},
    },
    observed: { eventsSince: async (_organization, after) => (await (more.events?.(after) ?? [])).filter(({ id }) => id > after) },
    connections: { detailed: async () => [] },
    readRow: more.readRow ?? (async () => undefined),
    agentIn: async () => false,
    organizationOf: async () => undefined,
    connectionText: () => '',
    eventText: ({ at }) => String(at - START),
    clock: time.clock,
    timers: time.timers,
    log: { warn: () => {} },
  })
  return { time, told, feed }
}

test('what is unknown within ten seconds of a reset is told at the end of them, once', async () => {
  const { time, told, feed } = lab()
  feed.hear({ kind: 'unknown' })
  expect(told).toEqual(['reset'])
  await time.advance(5 * SECOND)
  feed.hear({ kind: 'unknown' })
  feed.hear({ kind: 'unknown' })
  expect(told).toEqual(['reset'])
  await time.advance(5 * SECOND)
  expect(told).toEqual(['reset', 'reset'])
  await time.advance(60 * SECOND)
  expect(told).toEqual(['reset', 'reset'])
})

test('a change that could not be read, because the database was away, makes everybody read again', async () => {
  const { time, told, feed } = lab({ readRow: () => Promise.reject(new Error('the database is away')) })
  feed.hear({ kind: 'connection', connection })
  await time.advance(SECOND)
  expect(told).toEqual(['reset'])
})

test('the first look misses nothing that happened since somebody listens, however late it is', async () => {
  let away = true
  const events = [eventAt(START - DAY), eventAt(START + 2 * SECOND), eventAt(START + 9 * SECOND)]
  const { time, told, feed } = lab({ events: () => (away ? Promise.reject(new Error('the database is away')) : Promise.resolve(events)) })
  feed.listen()
  await time.advance(10 * SECOND)
  away = false
  await time.advance(3 * SECOND)
  expect(told).toEqual(['event 2000', 'event 9000'])
})

test('more events than anybody can follow, second after second, make everybody read again every ten seconds and once at the end', async () => {
  let count = 0
  const { time, told, feed } = lab({
    events: () => {
      const from = time.clock.wall()
      return Promise.resolve(count-- > 0 ? Array.from({ length: 200 }, (_, at) => eventAt(from + at)) : [])
    },
  })
  feed.listen()
  count = 13
  await time.advance(9 * SECOND)
  expect(told).toEqual(['reset'])
  await time.advance(4 * SECOND)
  expect(told).toEqual(['reset', 'reset'])
  await time.advance(60 * SECOND)
  expect(told).toEqual(['reset', 'reset', 'reset'])
})
