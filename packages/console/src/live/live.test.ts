import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { system } from '../system.ts'
import { Live } from './live.ts'

const OVERVIEW = ['GET /api/v1/console/overview', {}]
const LIST = ['GET /api/v1/alerts', {}]

let timers: { readonly ms: number; readonly run: () => void }[]
/** What the page does every 10 s. */
let watch: () => void

beforeEach(() => {
  timers = []
  watch = () => undefined
  vi.stubGlobal('document', { hidden: false, addEventListener: () => undefined, removeEventListener: () => undefined })
  vi.spyOn(system, 'every').mockImplementation((_ms, run) => {
    watch = run
    return () => undefined
  })
  vi.spyOn(system, 'after').mockImplementation((ms, run) => {
    const timer = { ms, run }
    timers.push(timer)
    return () => void timers.splice(timers.indexOf(timer), 1)
  })
})
afterEach(() => {
  vi.unstubAllGlobals()
  vi.restoreAllMocks()
})

/** A page with one question on the screen and a stream that says what the test says. */
function page(key: readonly unknown[]) {
  const client = new QueryClient()
  const answers: ((value: string) => void)[] = []
  const observer = new QueryObserver(client, { queryKey: key, queryFn: () => new Promise<string>((resolve) => answers.push(resolve)) })
  const streams: { readonly lastId: string | null; readonly say: (text: string) => void; readonly end: () => void }[] = []
  const live = new Live(client, (lastId) => {
    const { readable, writable } = new TransformStream<string, string>()
    const writer = writable.getWriter()
    streams.push({ lastId, say: (text) => void writer.write(text), end: () => void writer.close() })
    return Promise.resolve(readable.pipeThrough(new TextEncoderStream()))
  })
  const stop = live.start()
  const look = watch
  const leave = observer.subscribe(() => undefined)
  return {
    answers,
    client,
    streams,
    live,
    watch: look,
    shown: () => observer.getCurrentResult().data,
    end: () => {
      leave()
      stop()
    },
  }
}

const HELLO = 'id: one-0\nevent: hello\ndata: {}\n\n'
const heard = () => expect.poll(() => timers.map(({ ms }) => ms))

test('an overview that was older than the stream is read again: what happened between them is told to nobody', async () => {
  const { answers, streams, shown, end } = page(OVERVIEW)
  streams[0]?.say(HELLO)
  answers[0]?.('as it was two seconds ago')
  await heard().toEqual([3_000])
  await vi.waitFor(() => expect(shown()).toBe('as it was two seconds ago'))
  timers[0]?.run()
  expect(answers).toHaveLength(2)
  answers[1]?.('as it is')
  await vi.waitFor(() => expect(shown()).toBe('as it is'))
  end()
})

test('what was answered before the stream began is read again; what is under way is not', async () => {
  const first = page(LIST)
  first.answers[0]?.('before')
  await vi.waitFor(() => expect(first.shown()).toBe('before'))
  first.streams[0]?.say(HELLO)
  await vi.waitFor(() => expect(first.answers).toHaveLength(2))
  first.end()

  timers = []
  const second = page(LIST)
  second.streams[0]?.say(HELLO)
  await heard().toEqual([3_000])
  expect(second.answers).toHaveLength(1)
  second.end()
})

test('a stream that goes on where it broke off is told what it missed, and reads nothing again', async () => {
  const { answers, streams, shown, live, end } = page(LIST)
  streams[0]?.say(HELLO)
  await heard().toEqual([3_000])
  answers[0]?.('shown')
  await vi.waitFor(() => expect(shown()).toBe('shown'))
  streams[0]?.end()
  await vi.waitFor(() => expect(live.getState().status).toBe('polling'))
  timers[1]?.run()
  await vi.waitFor(() => expect(streams.map(({ lastId }) => lastId)).toEqual([null, 'one-0']))
  streams[1]?.say('event: hello\ndata: {}\n\n')
  await vi.waitFor(() => expect(live.getState().status).toBe('live'))
  expect(answers).toHaveLength(1)
  end()
})

const event = (type: string) => `id: one-1\nevent: event\ndata: ${JSON.stringify({ id: 'evt_1', type, connection_id: null })}\n\n`

test('what a colleague changes is read again, and what is not on the screen is not shown later as it was', async () => {
  const keys = ['GET /api/v1/api-keys', {}]
  const { client, live, answers, streams, shown, end } = page(keys)
  streams[0]?.say(HELLO)
  await heard().toEqual([3_000])
  answers[0]?.('one key')
  await vi.waitFor(() => expect(shown()).toBe('one key'))
  const left = ['GET /api/v1/alerts', {}, 'list']
  client.setQueryData(left, 'left a second ago')
  const types = ['api_key.revoked', 'api_key.created', 'connection.refreshed', 'alert.opened']
  let taken = 0
  live.listen(() => {
    taken += 1
  })
  for (const type of types) streams[0]?.say(event(type))
  await vi.waitFor(() => expect(taken).toBe(types.length))
  await heard().toEqual([3_000, 700])
  timers[1]?.run()
  expect(answers).toHaveLength(2)
  expect(client.getQueryState(left)?.isInvalidated).toBe(true)
  end()
})

test('what moves with the time is read once a minute while the stream says nothing, but no list of connections under the pointer', async () => {
  const now = vi.spyOn(system, 'now')
  const [overview, list] = [page(OVERVIEW), page(['GET /api/v1/connections', {}, 'list'])]
  for (const { streams } of [overview, list]) streams[0]?.say(HELLO)
  await heard().toEqual([3_000, 3_000])
  for (const { answers, shown } of [overview, list]) {
    answers[0]?.('shown')
    await vi.waitFor(() => expect(shown()).toBe('shown'))
  }
  const begun = Date.now()
  for (const [later, readings] of [
    [59_000, [1, 1]],
    [61_000, [2, 1]],
  ] as const) {
    now.mockReturnValue(begun + later)
    for (const { streams, live, watch: look } of [overview, list]) {
      streams[0]?.say('event: beat\ndata: {}\n\n')
      await vi.waitFor(() => expect(live.getState().heardAt).toBe(begun + later))
      look()
    }
    expect([overview.answers.length, list.answers.length]).toEqual(readings)
  }
  overview.end()
  list.end()
})

test('a stream that fell silent is ended, also where the clock was set back meanwhile', async () => {
  const { streams, live, watch: look, end } = page(LIST)
  streams[0]?.say(HELLO)
  await heard().toEqual([3_000])
  vi.spyOn(system, 'now').mockReturnValue(Date.now() - 3_600_000)
  look()
  expect(live.getState().status).toBe('polling')
  end()
})

test('a page that is seen again says that it connects until its stream is open, and that it is live no sooner', async () => {
  let seen = () => undefined as unknown
  const document = { hidden: true, addEventListener: (_name: string, listener: () => void) => (seen = listener), removeEventListener: () => undefined }
  vi.stubGlobal('document', document)
  const { streams, live, end } = page(LIST)
  expect([live.getState().status, streams.length]).toEqual(['hidden', 0])
  document.hidden = false
  seen()
  expect([live.getState().status, streams.length]).toEqual(['connecting', 1])
  await vi.waitFor(() => expect(live.getState().status).toBe('live'))
  end()
})
