import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { newId } from '../ids.ts'
import { MINUTE, SECOND } from '../time.ts'
import { LiveHub, type LiveSubscription, type Topic } from './live-hub.ts'

const organization = newId('org', systemEntropy)

function lab() {
  const time = createManualTime(0)
  const hub = new LiveHub({ clock: time.clock, timers: time.timers, incarnation: 'start-1', node: 'node', version: '1', timeText: String })
  const listen = (more: Partial<LiveSubscription> & { readonly room?: number } = {}) => {
    const heard: string[] = []
    const ids: (string | null)[] = []
    let ended = false
    const leave = hub.subscribe({
      organization,
      listener: 'usr_1',
      topics: new Set<Topic>(['connections', 'events']),
      lastId: null,
      allowed: async () => true,
      sink: {
        send: (event, data, id) => {
          if (heard.length >= (more.room ?? Number.POSITIVE_INFINITY)) return false
          heard.push(`${event} ${data}`)
          ids.push(id)
          return true
        },
        end: () => {
          ended = true
        },
      },
      ...more,
    })
    return { heard, ids, leave, ended: () => ended }
  }
  const say = (data: string, topic: Topic = 'connections') => hub.publish(organization, { topic, event: 'connection', data })
  return { time, hub, listen, say }
}

test('a listener hears its topics, and a stranger nothing', () => {
  const { listen, say, hub } = lab()
  const own = listen()
  const other = listen({ organization: newId('org', systemEntropy) })
  say('{"n":1}')
  say('{"n":2}', 'alerts')
  expect(own.heard.slice(1)).toEqual(['connection {"n":1}'])
  expect(other.heard).toHaveLength(1)
  expect(hub.streamsOf('usr_1')).toBe(2)
})

test('a line that broke goes on where it ended, within ten minutes', async () => {
  const { time, listen, say } = lab()
  const first = listen()
  say('{"n":1}')
  const lastId = first.ids.at(-1) ?? null
  first.leave()
  say('{"n":2}')
  await time.advance(9 * MINUTE)
  expect(listen({ lastId }).heard.slice(1)).toEqual(['connection {"n":2}'])
  await time.advance(2 * MINUTE)
  expect(listen({ lastId }).heard.slice(1)).toEqual(['reset {}'])
})

test('an id of another start, or one that never was, is answered with reset', () => {
  const { listen, say } = lab()
  listen()
  say('{"n":1}')
  for (const lastId of ['start-0-1', 'start-1-99', 'nonsense', 'start-1-x']) expect(listen({ lastId }).heard.slice(1)).toEqual(['reset {}'])
  expect(listen({ lastId: 'start-1-1' }).heard.slice(1)).toEqual([])
})

test('who does not keep up is dropped, and the others go on', () => {
  const { listen, say } = lab()
  const slow = listen({ room: 2 })
  const quick = listen()
  for (let n = 0; n < 5; n += 1) say(`{"n":${n}}`)
  expect([slow.ended(), slow.heard.length]).toEqual([true, 2])
  expect([quick.ended(), quick.heard.length]).toEqual([false, 6])
})

test('a stream beats, and ends when what opened it is over', async () => {
  const { time, hub, listen } = lab()
  let allowed = true
  const one = listen({ allowed: async () => allowed })
  const unsure = listen({ allowed: () => Promise.reject(new Error('the database is away')) })
  await time.advance(15 * SECOND)
  expect(one.heard.at(-1)).toMatch(/^beat /)
  allowed = false
  hub.recheck()
  await time.advance(0)
  expect([one.ended(), unsure.ended()]).toEqual([true, false])
})

test('nothing is kept of an organization that nobody listened to for ten minutes', async () => {
  const { time, hub, listen } = lab()
  listen().leave()
  expect(hub.heard(organization)).toBe(true)
  await time.advance(11 * MINUTE)
  expect(hub.heard(organization)).toBe(false)
  expect(time.waiting()).toBe(0)
})

test('ids go on where those of a forgotten room ended: who slept for longer than others reads everything again', async () => {
  const { time, listen, say } = lab()
  const sleeper = listen()
  say('{"n":1}')
  const lastId = sleeper.ids.at(-1) ?? null
  sleeper.leave()
  await time.advance(11 * MINUTE)
  const other = listen()
  expect(listen({ lastId }).heard.slice(1)).toEqual(['reset {}'])
  for (let n = 2; n < 5; n += 1) say(`{"n":${n}}`)
  expect(other.heard).toHaveLength(4)
  expect(listen({ lastId }).heard.slice(1)).toEqual(['reset {}'])
})

test('whose line was broken while everybody was told to read again is told so when it is back', () => {
  const { hub, listen, say } = lab()
  const [away, there] = [listen(), listen()]
  say('{"n":1}')
  const lastId = away.ids.at(-1) ?? null
  away.leave()
  hub.reset(organization)
  expect(listen({ lastId }).heard.slice(1)).toEqual(['reset {}'])
  expect(listen({ lastId: there.ids.at(-1) ?? null }).heard.slice(1)).toEqual([])
})

test('a line that breaks again before it has caught up has lost nothing', () => {
  const { listen, say } = lab()
  const first = listen()
  const lastId = first.ids.at(-1) ?? null
  first.leave()
  for (let n = 1; n < 4; n += 1) say(`{"n":${n}}`)
  const placeOf = ({ ids }: { readonly ids: readonly (string | null)[] }) => ids.findLast((id) => id !== null) ?? lastId
  expect(placeOf(listen({ lastId, room: 1 }))).toBe(lastId)
  const second = listen({ lastId, room: 3 })
  expect([second.heard.slice(1), second.ended()]).toEqual([['connection {"n":1}', 'connection {"n":2}'], true])
  expect(listen({ lastId: placeOf(second) }).heard.slice(1)).toEqual(['connection {"n":3}'])
})
