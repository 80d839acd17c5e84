import { once } from 'node:events'
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { gzipSync } from 'node:zlib'
import { afterEach, describe, expect, test } from 'vitest'
import type { ProviderDraft } from '../../providers/define.ts'
import { type ApiLab, createApiLab } from '../../testing/api-lab.ts'
import { whileTimeRuns } from '../../testing/manual-time.ts'

/** Something that a test waits for. */
function moment(): { readonly come: Promise<void>; readonly now: () => void } {
  let now = (): void => {}
  const come = new Promise<void>((resolve) => {
    now = resolve
  })
  return { come, now: () => now() }
}

let api: Server | undefined
let lab: ApiLab
let seen: IncomingMessage[]

async function start(
  answer: (request: IncomingMessage, response: ServerResponse) => void,
  draft: Partial<NonNullable<ProviderDraft['api']>> = {},
): Promise<void> {
  seen = []
  const server = createServer((request, response) => {
    seen.push(request)
    request.resume().once('end', () => answer(request, response))
  })
  api = server
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  const base = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`
  lab = await createApiLab({ record: { api: { ...draft, base } } })
}
afterEach(async () => {
  if (api === undefined) return
  await lab.app.close()
  api.closeAllConnections()
  api.close()
  api = undefined
})

const path = (rest: string): string => `/api/v1/proxy/${lab.connection}/${rest}`
const call = (rest: string, headers: Readonly<Record<string, string>> = {}) => lab.call('GET', path(rest), { headers })
const fine = (_request: IncomingMessage, response: ServerResponse): void => void response.writeHead(200, { 'content-type': 'application/json' }).end('{}')

describe('answers', () => {
  test('a redirect is the caller’s to follow, and takes no credential with it (S27)', async () => {
    await start((_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end())
    const called = await call('there')
    expect([called.status, called.headers['location'], seen.length]).toEqual([302, 'http://169.254.169.254/', 1])
    expect(called.text + JSON.stringify(called.headers)).not.toContain('at-1')
  })

  test('an answer that is compressed all the same is never unpacked here (S31)', async () => {
    const bomb = gzipSync(Buffer.alloc(20_000_000))
    await start((_request, response) => response.writeHead(400, { 'content-encoding': 'gzip', 'content-type': 'application/json' }).end(bomb))
    await lab.app.listen({ port: 0, host: '127.0.0.1' })
    const [address] = lab.app.addresses()
    const asking = request({
      port: typeof address === 'object' ? address.port : 0,
      path: path('bomb'),
      headers: { authorization: `Bearer ${await lab.keyFor(['proxy'])}` },
    })
    const [answer]: [IncomingMessage] = (await once(asking.end(), 'response')) as [IncomingMessage]
    let bytes = 0
    for await (const chunk of answer) bytes += (chunk as Buffer).length
    expect([answer.headers['content-encoding'], bytes]).toEqual(['gzip', bomb.length])
    expect(seen[0]?.headers['accept-encoding']).toBe('identity')
  })

  test('an error that never ends is judged by its beginning and streamed on (S31)', async () => {
    const ended = moment()
    await start((_request, response) => {
      response.writeHead(400)
      const more = (): void => {
        if (!response.destroyed) response.write(Buffer.alloc(64 * 1_024), more)
      }
      response.once('close', () => ended.now()).on('error', () => {})
      more()
    })
    await lab.app.listen({ port: 0, host: '127.0.0.1' })
    const [address] = lab.app.addresses()
    const asking = request({
      port: typeof address === 'object' ? address.port : 0,
      path: path('endless'),
      headers: { authorization: `Bearer ${await lab.keyFor(['proxy'])}` },
    })
    const [answer]: [IncomingMessage] = (await once(asking.end(), 'response')) as [IncomingMessage]
    expect(answer.statusCode).toBe(400)
    await once(answer, 'readable')
    asking.destroy()
    await ended.come
  })
})

describe('what a record says about calls', () => {
  const amazon: Partial<NonNullable<ProviderDraft['api']>> = {
    required: [
      { header: 'Amazon-Advertising-API-Scope', except: ['/v2/profiles', '/amc/'], meaning: 'The id of an advertising profile, from GET /v2/profiles.' },
    ],
  }

  test('a header that only the caller can know is asked for by its name, with where its value comes from', async () => {
    await start(fine, amazon)
    for (const rest of ['v2/campaigns?x=1', 'v2/profiles-of-others', 'v2/%70rofiles']) {
      const called = await call(rest)
      expect([called.status, called.json.code, called.json.field]).toEqual([400, 'invalid_request', 'Amazon-Advertising-API-Scope'])
      expect(called.json.detail).toBe('Scripted needs the header `Amazon-Advertising-API-Scope` here: The id of an advertising profile, from GET /v2/profiles.')
    }
    expect(seen).toEqual([])
    for (const rest of ['v2/profiles', 'v2/profiles/7?y=2', 'amc/instances']) expect((await call(rest)).status).toBe(200)
    expect((await call('v2/campaigns', { 'amazon-advertising-api-scope': '42' })).status).toBe(200)
    expect(seen.at(-1)?.headers['amazon-advertising-api-scope']).toBe('42')
  })

  test('a token that belongs into the query goes there, in place of what the caller wrote', async () => {
    await start(fine, { authorization: { header: 'Authorization', prefix: 'Bearer ', query: 'access_token' } })
    await call('me?fields=id%2Cname&access_token=forged&%61ccess_token=too')
    expect(seen[0]?.url).toBe('/me?fields=id%2Cname&access_token=at-1')
    expect(seen[0]?.headers.authorization).toBeUndefined()
    await call('me')
    expect(seen[1]?.url).toBe('/me?access_token=at-1')
  })

  test('a 401 that is not about the token is handed on and renews nothing', async () => {
    await start(
      (_request, response) => response.writeHead(401, { 'content-type': 'application/json' }).end('{"code":"UNAUTHORIZED","details":"no such profile"}'),
      {
        answers: [{ status: [401], where: { details: '/profile/' }, means: 'not_about_the_token' }],
      },
    )
    const called = await call('v2/campaigns')
    expect([called.status, called.headers['evergrant-verdict'], seen.length]).toEqual([401, 'not_about_the_token', 1])
    expect(lab.provider.presented).toEqual([])
  })

  test('a refusal that comes with status 200 is one: the token is renewed, the request replayed, and throttling waited for', async () => {
    const says = (response: ServerResponse, error: string | null): void =>
      void response
        .writeHead(200, { 'content-type': 'application/json; charset=utf-8' })
        .end(JSON.stringify(error === null ? { ok: true } : { ok: false, error }))
    await start(
      ({ headers, method }, response) => {
        if (headers.authorization === 'Bearer at-1') return says(response, 'token_expired')
        says(response, method === 'GET' && seen.length === 3 ? 'ratelimited' : null)
      },
      {
        answers: [
          { status: [200], where: { ok: false, error: 'token_expired' }, means: 'token_rejected' },
          { status: [200], where: { ok: false, error: 'ratelimited' }, means: 'throttled' },
        ],
      },
    )
    const posted = await whileTimeRuns(lab.time, lab.call('POST', path('chat.postMessage'), { body: { text: 'hello' } }))
    expect([posted.status, posted.json, seen.length, lab.provider.presented.length]).toEqual([200, { ok: true }, 2, 1])
    const read = await whileTimeRuns(lab.time, call('conversations.list'))
    expect([read.status, read.json, seen.length]).toEqual([200, { ok: true }, 4])
  })

  test('an answer that no rule of the record can be about streams on unread, however such a provider refuses', async () => {
    const finish = moment()
    await start(
      (_request, response) => {
        response.writeHead(200, { 'content-type': 'text/event-stream' })
        response.write('first ')
        void finish.come.then(() => response.end('last'))
      },
      { answers: [{ status: [200], where: { ok: false }, means: 'token_rejected' }] },
    )
    await lab.app.listen({ port: 0, host: '127.0.0.1' })
    const [address] = lab.app.addresses()
    const asking = request({
      port: typeof address === 'object' ? address.port : 0,
      path: path('events'),
      headers: { authorization: `Bearer ${await lab.keyFor(['proxy'])}` },
    })
    const [answer]: [IncomingMessage] = (await once(asking.end(), 'response')) as [IncomingMessage]
    let text = ''
    for await (const chunk of answer) {
      text += String(chunk)
      finish.now()
    }
    expect(text).toBe('first last')
  })

  test('a status that HTTP does not have is handed on as a failure of the provider, with its number beside it', async () => {
    await start((_request, response) => response.writeHead(999, { 'content-type': 'text/plain' }).end('request denied'))
    const called = await lab.call('POST', path('x'), { body: {} })
    expect([called.status, called.headers['evergrant-upstream-status'], called.text]).toEqual([502, '999', 'request denied'])
  })

  test('methods beyond the usual seven reach no API (S36)', async () => {
    await start(fine)
    await lab.app.listen({ port: 0, host: '127.0.0.1' })
    const [address] = lab.app.addresses()
    const key = await lab.keyFor(['proxy'])
    for (const method of ['TRACE', 'PROPFIND', 'PURGE']) {
      const asking = request({ port: typeof address === 'object' ? address.port : 0, method, path: path('x'), headers: { authorization: `Bearer ${key}` } })
      const [answer]: [IncomingMessage] = (await once(asking.end(), 'response')) as [IncomingMessage]
      answer.resume()
      expect([400, 404, 405]).toContain(answer.statusCode)
    }
    expect(seen).toEqual([])
  })
})
