import { afterEach, beforeEach, expect, test } from 'vitest'
import { SECOND } from '../core/time.ts'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'
import { type SignedInPerson, signIn } from '../testing/people.ts'

let lab: ApiLab
let base: string
let ana: SignedInPerson
beforeEach(async () => {
  lab = await createApiLab()
  base = await lab.app.listen({ port: 0, host: '127.0.0.1' })
  ana = await signIn(lab, { role: 'operator', organization: lab.organization })
})
afterEach(() => lab.app.close())

interface Frame {
  readonly event: string
  readonly id: string | null
  // biome-ignore lint/suspicious/noExplicitAny: tests read answers of many shapes
  readonly data: any
}

/** Reads frames of a stream as they come. */
async function open(query = '', token = ana.token, headers: Readonly<Record<string, string>> = {}) {
  const answer = await fetch(`${base}/api/v1/console/stream${query}`, { headers: { authorization: `Bearer ${token}`, ...headers } })
  const reader = answer.body?.getReader()
  const decoder = new TextDecoder()
  let text = ''
  const next = async (): Promise<Frame | null> => {
    for (;;) {
      const end = text.indexOf('\n\n')
      if (end >= 0) {
        const lines = text.slice(0, end).split('\n')
        text = text.slice(end + 2)
        const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2) ?? null
        const event = field('event')
        if (event !== null) return { event, id: field('id'), data: JSON.parse(field('data') ?? 'null') }
        continue
      }
      const chunk = await reader?.read()
      if (chunk === undefined || chunk.done) return null
      text += decoder.decode(chunk.value, { stream: true })
    }
  }
  /** Time runs until a frame of this kind comes; null when the stream ends before. */
  const until = async (event: string): Promise<Frame | null> => {
    let waiting = true
    const run = (async () => {
      while (waiting) {
        await lab.time.advance(100)
        await new Promise((resolve) => setImmediate(resolve))
      }
    })()
    try {
      for (;;) {
        const frame = await next()
        if (frame === null || frame.event === event) return frame
      }
    } finally {
      waiting = false
      await run
    }
  }
  return { answer, next, until, close: () => reader?.cancel() }
}

test('a change is told to whoever listens, with nothing between that could hold it back', async () => {
  const stream = await open()
  expect(stream.answer.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(stream.answer.headers.get('cache-control')).toBe('no-store, no-transform')
  expect(stream.answer.headers.get('x-accel-buffering')).toBe('no')
  expect(stream.answer.headers.get('content-encoding')).toBeNull()
  expect(await stream.next()).toMatchObject({ event: 'hello', data: { node: 'lab' } })
  await lab.call('POST', `/api/v1/connections/${lab.connection}/pause`)
  const told = await stream.until('connection')
  expect(told?.data).toEqual((await lab.call('GET', `/api/v1/connections/${lab.connection}`)).json)
  await stream.close()
})

test('an event is told as the list shows it', async () => {
  const stream = await open('?topics=events')
  await stream.next()
  await lab.call('POST', `/api/v1/connections/${lab.connection}/pause`)
  let told = await stream.until('event')
  while (told !== null && told.data.type !== 'connection.paused') told = await stream.until('event')
  const { items } = (await lab.call('GET', `/api/v1/events?connection=${lab.connection}`)).json
  expect(items).toContainEqual(told?.data)
  await stream.close()
})

test('a broken line goes on where it ended', async () => {
  const first = await open('?topics=connections')
  await lab.call('POST', `/api/v1/connections/${lab.connection}/pause`)
  const told = await first.until('connection')
  await first.close()
  await lab.call('POST', `/api/v1/connections/${lab.connection}/resume`)
  await lab.time.advance(SECOND)
  const again = await open('', ana.token, { 'last-event-id': told?.id ?? '' })
  expect((await again.next())?.event).toBe('hello')
  expect((await again.until('connection'))?.data.status).toBe('active')
  await again.close()
  const lost = await open('?last_event_id=elsewhere-7')
  await lost.next()
  expect((await lost.next())?.event).toBe('reset')
  await lost.close()
})

test('the stream ends with the session that opened it', async () => {
  const stream = await open()
  await stream.next()
  await lab.services.sessions.end(ana.opened.signedIn.session, 'here', { address: null, userAgent: null })
  expect(await stream.until('nothing more')).toBeNull()
})

test('a person has a few streams, not any number', async () => {
  const streams = await Promise.all(Array.from({ length: 8 }, () => open()))
  const more = await open()
  expect([more.answer.status, more.answer.headers.get('retry-after')]).toEqual([429, expect.any(String)])
  await Promise.all(streams.map(({ close }) => close()))
})

test('a topic needs the right to read it, and a member has no stream', async () => {
  const key = await lab.keyFor(['events:read'])
  expect((await open('?topics=connections', key)).answer.status).toBe(403)
  expect((await open('?topics=colours', key)).answer.status).toBe(400)
  const member = await signIn(lab, { role: 'member', organization: lab.organization })
  expect((await open('', member.token)).answer.status).toBe(403)
  const other = await lab.keyFor(['admin'], await lab.anotherOrganization())
  const stream = await open('', other)
  await stream.next()
  await lab.call('POST', `/api/v1/connections/${lab.connection}/pause`)
  await lab.time.advance(2 * SECOND)
  expect((await stream.until('beat'))?.event).toBe('beat')
  await stream.close()
})

test('HEAD asks for a stream in vain, and is told so instead of waiting for its end', async () => {
  const answer = await fetch(`${base}/api/v1/console/stream`, {
    method: 'HEAD',
    headers: { authorization: `Bearer ${ana.token}` },
    signal: AbortSignal.timeout(4_000),
  })
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, 'GET'])
})
