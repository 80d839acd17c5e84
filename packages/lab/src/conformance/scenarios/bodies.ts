import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import type { BodySpec } from '../asked.ts'
import type { Cell } from '../play.ts'
import { Recorder } from '../recorder.ts'
import { answered, counted, failedWith, type Scenario } from '../scenario.ts'

const TEXT = 'thirty-two bytes of plain text, ü'
const KINDS: readonly BodySpec['kind'][] = ['json', 'text', 'form-data', 'blob', 'array-buffer', 'search-params']
const bodyOf = (kind: BodySpec['kind']): BodySpec => ({ kind, text: kind === 'json' ? JSON.stringify({ text: TEXT }) : TEXT })
const onlyRequests = ({ transport }: Cell): string | null => (transport === 'request' ? null : 'this column has no Request objects')

/** Another origin, which must never see a credential. */
async function withForeign(work: (foreign: Recorder) => Promise<void>): Promise<void> {
  const foreign = await Recorder.start({ server: () => '', api: () => '', page: () => null })
  const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*', 'access-control-allow-methods': '*' }
  for (const on of ['api', 'preflight', 'server'] as const) foreign.rule({ on, act: { kind: 'answer', status: 200, headers: cors, body: '{}' } })
  try {
    await work(foreign)
  } finally {
    await foreign.close()
  }
}

/** What is sent again must be what was sent; what cannot be sent again is not. */
export const BODIES: readonly Scenario[] = [
  {
    id: 'C60',
    title: 'JSON, text, FormData, Blob, ArrayBuffer and URLSearchParams are sent again byte by byte',
    run: async (play) => {
      const tab = await play.tab()
      for (const kind of KINDS) {
        play.recorder.forget()
        play.recorder.expire()
        answered([await tab.send({ url: '/app/echo', method: 'POST', body: bodyOf(kind) })], 200)
        const sends = play.recorder.of('api')
        strictEqual(sends.length, 2, `${kind}: ${sends.length} sends`)
        ok((sends[0]?.bodyBytes ?? 0) >= TEXT.length, `${kind}: ${sends[0]?.bodyBytes} bytes`)
        deepStrictEqual([sends[1]?.bodyHash, sends[1]?.contentType], [sends[0]?.bodyHash, sends[0]?.contentType], kind)
      }
    },
  },
  {
    id: 'C61',
    title: 'a Request with a body is sent again with it',
    leavesOut: onlyRequests,
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      answered([await tab.send({ url: '/app/echo', method: 'PUT', body: bodyOf('json'), headers: { 'x-own': 'kept' } })], 200)
      const sends = play.recorder.of('api')
      deepStrictEqual(
        sends.map(({ method, bodyHash }) => [method, bodyHash]),
        [
          ['PUT', sends[0]?.bodyHash],
          ['PUT', sends[0]?.bodyHash],
        ],
      )
      ok((sends[0]?.bodyBytes ?? 0) > TEXT.length)
    },
  },
  {
    id: 'C62',
    title: 'a Request that the caller uses again works every time',
    leavesOut: onlyRequests,
    run: async (play) => {
      const tab = await play.tab()
      for (let turn = 0; turn < 3; turn += 1) {
        play.recorder.expire()
        answered([await tab.send({ url: '/app/data', reuse: 'mine' })], 200)
      }
      counted(play, { refresh: 3, api: 6 })
    },
  },
  {
    id: 'C63',
    title: 'a stream is never sent twice; near the deadline the token is renewed before it goes',
    leavesOut: ({ host, transport }) => {
      if (host === 'chromium') return 'Chromium sends no streams over HTTP/1.1'
      return transport === 'request' ? 'a Request hides that its body is a stream: it is copied and sent again whole, as in C61' : null
    },
    run: async (play) => {
      const tab = await play.tab({ clockAheadMs: 0 })
      play.recorder.expire()
      const outcome = await tab.send({ url: '/app/echo', method: 'POST', body: { kind: 'stream', text: TEXT } })
      const failed = failedWith(outcome, 'NotReplayableError')
      ok(/not_replayable/i.test(failed.code ?? ''), `code ${failed.code}`)
      strictEqual(play.recorder.count('api'), 1)
      strictEqual(play.recorder.of('api')[0]?.bodyBytes, new TextEncoder().encode(TEXT).length)
      await tab.refresh(true)
      play.recorder.forget()
      await tab.passTime(9.8 * 60_000)
      play.recorder.expire()
      answered([await tab.send({ url: '/app/echo', method: 'POST', body: { kind: 'stream', text: TEXT } })], 200)
      counted(play, { refresh: 1, api: 1 })
    },
  },
  {
    id: 'C64',
    title: 'an answer that streams arrives whole, after a second send too',
    run: async (play) => {
      const tab = await play.tab()
      for (const expired of [false, true]) {
        if (expired) play.recorder.expire()
        const outcome = await tab.send({ url: '/app/stream' })
        strictEqual(outcome.kind === 'answer' ? outcome.text : outcome.message, 'line 1\nline 2\nline 3\nline 4\nline 5\n')
      }
    },
  },
  {
    id: 'C65',
    title: 'a POST is sent again only when the handler did not run, with the same Idempotency-Key',
    run: async (play) => {
      const tab = await play.tab()
      play.recorder.expire()
      const asked = { url: '/app/echo', method: 'POST', body: bodyOf('json'), headers: { 'idempotency-key': 'order-17' } }
      answered([await tab.send(asked)], 200)
      deepStrictEqual(
        play.recorder.of('api').map(({ idempotencyKey }) => idempotencyKey),
        ['order-17', 'order-17'],
      )
      strictEqual(play.stage.api.executed.length, 1, 'the handler ran more than once')
      play.recorder.forget()
      answered([await tab.send({ ...asked, url: '/app/foreign-401' })], 401)
      counted(play, { refresh: 0, api: 1 })
    },
  },
  {
    id: 'C66',
    title: 'a redirect to another origin takes no credential along',
    run: (play) =>
      withForeign(async (foreign) => {
        const tab = await play.tab()
        await tab.send({ url: `/app/redirect?to=${encodeURIComponent(`${foreign.url}/app/landing`)}` })
        strictEqual(play.recorder.count('api'), 1)
        deepStrictEqual(
          foreign
            .of('api')
            .map(({ authorization }) => authorization)
            .filter((value) => value !== null),
          [],
        )
      }),
  },
  {
    id: 'C67',
    title: 'only listed origins get the token: paths, URL objects and texts of ours do, another port does not',
    run: (play) =>
      withForeign(async (foreign) => {
        const tab = await play.tab()
        const own = [{ url: '/app/data' }, { url: '/app/data', asUrl: true }, { url: `${play.recorder.url}/app/data` }]
        const pages = tab.page === null || play.cell.transport === 'axios' ? own : [...own, { url: '/app/data', relative: true }]
        answered(await tab.sendAll(pages), 200)
        answered([await tab.send({ url: `${foreign.url}/app/other-port` })], 200)
        deepStrictEqual(
          foreign.of('api').map(({ authorization }) => authorization),
          [null],
        )
        counted(play, { refresh: 0, api: pages.length })
      }),
  },
  {
    id: 'C68',
    title: 'cookies go where the caller says, and to no other origin',
    leavesOut: ({ transport }) => (transport === 'axios' ? 'axios asks with withCredentials, which is the caller’s alone' : null),
    run: (play) =>
      withForeign(async (foreign) => {
        const tab = await play.tab()
        answered([await tab.send({ url: '/app/data', credentials: 'omit' })], 200)
        deepStrictEqual(
          play.recorder.of('api').map(({ cookies }) => cookies),
          [false],
        )
        await tab.send({ url: `${foreign.url}/app/data` })
        deepStrictEqual(
          foreign.of('api').map(({ cookies }) => cookies),
          [false],
        )
      }),
  },
]
