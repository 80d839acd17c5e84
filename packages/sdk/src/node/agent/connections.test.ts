import process from 'node:process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Evergrant } from './evergrant.ts'
import { codeOf, createMachineLab, type MachineLab, MINUTE } from './testing/machine-lab.ts'

const API = 'https://api.example.com'
let lab: MachineLab
let program: Evergrant
let sent: Request[]
let answers: ((request: Request) => Response)[]

beforeEach(() => {
  lab = createMachineLab()
  sent = []
  answers = []
  lab.server.connections.set('con_1', { id: 'con_1', generation: 7, expiresAt: new Date(lab.platform.now() + 60 * MINUTE).toISOString() })
  program = lab.program({
    server: lab.server.url,
    enrolmentCode: lab.server.code(),
    platform: {
      fetch: (input, init) => {
        const request = new Request(input, init)
        if (!request.url.startsWith(API) && !request.url.startsWith('https://elsewhere')) return lab.server.fetch(input, init)
        sent.push(request.clone())
        return Promise.resolve((answers.shift() ?? (() => Response.json({ ok: true })))(request))
      },
    },
  })
})
afterEach(async () => {
  await program.close()
  lab.remove()
})

const seen = (): (string | null)[] => sent.map(({ headers }) => headers.get('authorization'))
const refuse = (): Response => new Response('no', { status: 401 })

test('a token that is fresh comes from memory: one request for any number of reads', async () => {
  const first = await program.connections.token('con_1')
  expect(first).toMatchObject({ access_token: 'token-7', generation: 7 })
  const all = await Promise.all(Array.from({ length: 1_000 }, () => program.connections.token('con_1')))
  expect(new Set(all).size).toBe(1)
  expect(lab.server.counts.tokens).toBe(1)
  lab.pass(2 * MINUTE)
  await program.connections.token('con_1')
  expect(lab.server.counts.tokens).toBe(2)
})

test('many who want the same token before it is there wait for one request', async () => {
  await program.whoami()
  await Promise.all(Array.from({ length: 50 }, () => program.connections.token('con_1')))
  expect(lab.server.counts.tokens).toBe(1)
})

test('a connection that the policy does not select is an error, and no token of it is kept', async () => {
  await program.connections.token('con_1')
  lab.server.connections.delete('con_1')
  lab.pass(2 * MINUTE)
  expect(await codeOf(program.connections.token('con_1'))).toBe('not_found')
  expect(await codeOf(program.connections.token('con_1'))).toBe('not_found')
})

test('an API that refuses the token gets a newer one, once, with the generation that was refused', async () => {
  answers = [refuse]
  const response = await program.connections.fetch('con_1', `${API}/me`, { method: 'POST', body: '{"a":1}' })
  expect(response.status).toBe(200)
  expect(seen()).toEqual(['Bearer token-7', 'Bearer token-8'])
  expect(await Promise.all(sent.map((request) => request.text()))).toEqual(['{"a":1}', '{"a":1}'])
  answers = [refuse, refuse]
  expect((await program.connections.fetch('con_1', `${API}/me`)).status).toBe(401)
  expect(sent).toHaveLength(4)
})

test('a hundred requests that are refused together cost one renewal', async () => {
  await program.connections.token('con_1')
  answers = Array.from({ length: 100 }, () => refuse)
  await Promise.all(Array.from({ length: 100 }, () => program.connections.fetch('con_1', `${API}/me`)))
  expect(lab.server.connections.get('con_1')?.generation).toBe(8)
})

test('a refusal that a newer token would not mend is the answer', async () => {
  await program.connections.token('con_1')
  const connection = lab.server.connections.get('con_1')!
  lab.server.once('token', async (commit) => {
    const before = connection.generation
    const answer = await commit()
    connection.generation = before
    return Response.json({ ...(await answer.json()), generation: before, access_token: 'token-7' })
  })
  answers = [refuse]
  expect((await program.connections.fetch('con_1', `${API}/me`)).status).toBe(401)
  expect(sent).toHaveLength(1)
})

test('a stream is sent once: its refusal is the answer', async () => {
  answers = [refuse]
  const body = new Blob(['x']).stream()
  const init: RequestInit & { duplex: 'half' } = { method: 'POST', body, duplex: 'half' }
  expect((await program.connections.fetch('con_1', `${API}/upload`, init)).status).toBe(401)
  expect(sent).toHaveLength(1)
})

test('an API that asks to come later is heard, within reason', async () => {
  const later =
    (seconds: string, status = 429) =>
    (): Response =>
      new Response('', { status, headers: { 'retry-after': seconds } })
  answers = [later('3'), later('2', 503)]
  const before = lab.platform.now()
  expect((await program.connections.fetch('con_1', `${API}/me`, { method: 'POST' })).status).toBe(200)
  expect(lab.platform.now() - before).toBeGreaterThanOrEqual(5_000)
  answers = [later('3600')]
  expect((await program.connections.fetch('con_1', `${API}/me`)).status).toBe(429)
  answers = [() => new Response('', { status: 503 })]
  expect((await program.connections.fetch('con_1', `${API}/me`, { method: 'POST' })).status).toBe(503)
})

test.each([
  ['http://api.example.com/me', 'is not https'],
  ['/me', 'no absolute address'],
  ['https://ana:secret@api.example.com/', 'a name or a password'],
  ['file:///etc/passwd', 'is not https'],
])('the token does not go to %s', async (url, words) => {
  await expect(program.connections.fetch('con_1', url)).rejects.toThrow(words)
  expect(sent).toEqual([])
})

test('a redirect is followed inside its origin alone', async () => {
  const to = (location: string) => (): Response => new Response('', { status: 302, headers: { location } })
  answers = [to('/you')]
  expect((await program.connections.fetch('con_1', `${API}/me`)).status).toBe(200)
  expect(sent.map(({ url }) => url)).toEqual([`${API}/me`, `${API}/you`])
  answers = [to('https://elsewhere.example/')]
  expect((await program.connections.fetch('con_1', `${API}/me`)).status).toBe(302)
  expect(sent.map(({ url }) => url)).not.toContain('https://elsewhere.example/')
})

test('through the proxy the program sees the answer and never the token', async () => {
  const response = await program.connections.proxy('con_1', '/v1/weather')
  expect([response.status, await response.text()]).toEqual([200, 'proxied v1/weather'])
  expect(await codeOf(program.connections.proxy('con_9', 'x'))).toBe('not_found')
})

test.each(['../connections', 'v1/..', 'v1/../../admin', '%2e%2E/x', '.%2e/x', './x', 'a%2F..%2fb', 'a\\\\..\\\\b', '.\\t./x', '..?a=1'])(
  'the path %s is refused before anything is sent',
  async (path) => {
    let asked = 0
    lab.server.once('', (commit) => {
      asked += 1
      return commit()
    })
    await expect(program.connections.proxy('con_1', path)).rejects.toThrow('segments')
    expect(asked).toBe(0)
  },
)

test('dots that are no segment of their own go through, and so do those of the query', async () => {
  for (const path of ['v1/..x/a.b', 'v1/x?next=../y', '/v1/%2e%2e%2e'])
    expect(await (await program.connections.proxy('con_1', path)).text()).toMatch(/^proxied v1/)
})

test('an id that is a step in a path is refused before anything is sent, by every call', async () => {
  for (const id of ['', '.', '..', '%2e%2e'])
    for (const call of [
      program.connections.proxy(id, 'x'),
      program.connections.token(id),
      program.connections.get(id),
      program.connections.fetch(id, `${API}/me`),
    ])
      await expect(call).rejects.toThrow('no id of a connection')
})

test('one connection is read by its id, without its token; one that the policy does not select is an error', async () => {
  expect(await program.connections.get('con_1')).toEqual({ id: 'con_1', status: 'active' })
  expect(lab.server.counts.tokens).toBe(0)
  expect(await codeOf(program.connections.get('con_9'))).toBe('not_found')
})

test("a server that is away is a ConnectionError of the proxy, one that is too slow a TimeoutError, and the caller's abort its own", async () => {
  await program.whoami()
  const late = new TypeError('fetch failed', { cause: Object.assign(new Error('no headers'), { code: 'UND_ERR_HEADERS_TIMEOUT' }) })
  for (const [cause, name, code] of [
    [new TypeError('fetch failed', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) }), 'ConnectionError', 'connection_failed'],
    [late, 'TimeoutError', 'connection_timed_out'],
  ] as const) {
    lab.server.once('/v1/x', () => Promise.reject(cause))
    const error = await program.connections.proxy('con_1', 'v1/x', { method: 'POST', body: '{}' }).catch((thrown: unknown) => thrown)
    expect(error).toMatchObject({ name, code, status: 0, retryable: true })
  }
  const stop = new AbortController()
  lab.server.once('/v1/x', () => {
    stop.abort(new Error('enough'))
    return Promise.reject(new TypeError('aborted'))
  })
  await expect(program.connections.proxy('con_1', 'v1/x', { signal: stop.signal })).rejects.toThrow('enough')
})

test('a refused proof of one request does not renew the credential: the next one has a proof of its own', async () => {
  await program.whoami()
  const refused = () => Promise.resolve(Response.json({ code: 'dpop_proof_invalid', detail: 'x' }, { status: 401 }))
  lab.server.once('connections', refused)
  expect(await codeOf(program.connections.list())).toBe('dpop_proof_invalid')
  lab.server.once('/v1/x', refused)
  expect(await codeOf(program.connections.proxy('con_1', 'v1/x'))).toBe('dpop_proof_invalid')
  expect(lab.server.counts.rotations).toBe(0)
  expect((await program.connections.proxy('con_1', 'v1/x')).status).toBe(200)
})

test("a provider's 401 that the proxy passes on does not renew this machine's credential", async () => {
  await program.whoami()
  lab.server.once('/v1/x', () => Promise.resolve(new Response('no', { status: 401, headers: { 'evergrant-upstream-status': '401' } })))
  expect((await program.connections.proxy('con_1', 'v1/x')).status).toBe(401)
  expect(lab.server.counts.rotations).toBe(0)
})

test('an access token that the server refuses is renewed once, and the request is sent once more', async () => {
  await program.whoami()
  lab.server.rotate()
  expect(await program.connections.list()).toMatchObject({ items: [{ id: 'con_1' }] })
  expect(lab.server.counts.rotations).toBe(1)
})

test('every request has a proof of its own', async () => {
  const proofs: (string | null)[] = []
  for (let time = 0; time < 3; time += 1)
    lab.server.once('connections', (commit, request) => {
      proofs.push(request.headers.get('dpop'))
      return commit()
    })
  for (let time = 0; time < 3; time += 1) await program.connections.list()
  expect(new Set(proofs).size).toBe(3)
})

test('a server that is away for a moment is asked again', async () => {
  await program.whoami()
  lab.server.once('token', () => Promise.reject(new TypeError('no route')))
  lab.server.once('token', () => Promise.resolve(Response.json({ code: 'store_unavailable', detail: 'x' }, { status: 503, headers: { 'retry-after': '1' } })))
  expect((await program.connections.token('con_1')).generation).toBe(7)
})

test('whoever gives up waiting does not end the request of the others', async () => {
  await program.whoami()
  const stop = new AbortController()
  const [given, kept] = [program.connections.token('con_1', { signal: stop.signal, minTtl: 1 }), program.connections.token('con_1', { minTtl: 1 })]
  stop.abort(new Error('enough'))
  await expect(given).rejects.toThrow('enough')
  expect((await kept).generation).toBe(7)
})

const upload = (): RequestInit & { duplex: 'half' } => ({ method: 'POST', body: new Blob(['x']).stream(), duplex: 'half' })

/** The next answer of this path is held until it is let go. Being asked for a nonce is no answer. */
function hold(path: string): () => void {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const script = async (commit: () => Promise<Response>): Promise<Response> => {
    const answer = await commit()
    if (answer.status === 401) lab.server.once(path, script)
    else await opened
    return answer
  }
  lab.server.once(path, script)
  return open
}

test('a caller whose signal ended before it asked sends nothing, and leaves no failure that nobody hears', async () => {
  await program.whoami()
  const before = lab.server.counts.refused
  const unheard: unknown[] = []
  const listen = (reason: unknown): number => unheard.push(reason)
  process.on('unhandledRejection', listen)
  await expect(program.connections.token('con_9', { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
  // Whatever had been sent would be answered before this one.
  expect(await codeOf(program.connections.token('con_8'))).toBe('not_found')
  await new Promise((resolve) => setImmediate(resolve))
  process.off('unhandledRejection', listen)
  expect([lab.server.counts.refused, unheard]).toEqual([before + 1, []])
})

test('whoever gives up a request of his own does not wait for its token any more', async () => {
  await program.whoami()
  const stop = new AbortController()
  const open = hold('token')
  const given = program.connections.fetch('con_1', `${API}/me`, { signal: stop.signal })
  stop.abort(new Error('enough'))
  await expect(given).rejects.toThrow('enough')
  open()
  expect(sent).toEqual([])
})

test('whoever gives up does not wait for the credential of this machine, either, by any call', async () => {
  await program.whoami()
  lab.pass(11 * MINUTE)
  const open = hold('refresh')
  for (const call of [
    (signal: AbortSignal) => program.connections.proxy('con_1', 'v1/x', { signal }),
    (signal: AbortSignal) => program.connections.get('con_1', { signal }),
  ]) {
    const stop = new AbortController()
    const given = call(stop.signal)
    stop.abort(new Error('enough'))
    await expect(given).rejects.toThrow('enough')
  }
  open()
  expect((await program.connections.proxy('con_1', 'v1/x')).status).toBe(200)
})

test('an answer that was overtaken by a newer one does not take its place', async () => {
  await program.whoami()
  const open = hold('token')
  const slow = program.connections.token('con_1')
  await expect.poll(() => lab.server.counts.tokens).toBe(1)
  expect((await program.connections.token('con_1', { rejectedGeneration: 7 })).generation).toBe(8)
  open()
  await slow
  expect((await program.connections.token('con_1')).generation).toBe(8)
  expect(lab.server.counts.tokens).toBe(2)
})

test('how long a token still lives is told by the clock of the server, however wrong that of the machine is', async () => {
  const late = lab.program({
    server: lab.server.url,
    enrolmentCode: lab.server.code(),
    profile: 'late',
    platform: { now: () => lab.platform.now() - 60 * MINUTE },
  })
  lab.server.connections.get('con_1')!.expiresAt = new Date(lab.platform.now() + 10 * MINUTE).toISOString()
  await late.connections.token('con_1')
  await late.connections.token('con_1', { minTtl: 300 })
  expect(lab.server.counts.tokens).toBe(1)
  await late.connections.token('con_1', { minTtl: 1_200 })
  expect(lab.server.counts.tokens).toBe(2)
  await late.close()
})

test('a clock that is set back keeps no token for longer', async () => {
  await program.connections.token('con_1')
  lab.pass(-30 * MINUTE)
  await program.connections.token('con_1')
  expect(lab.server.counts.tokens).toBe(2)
})

test('what a provider says of its clock and its nonces, through the proxy, is not taken for the word of Evergrant', async () => {
  await program.whoami()
  const headers = { 'evergrant-upstream-status': '200', 'dpop-nonce': 'theirs', date: 'Mon, 01 Jan 2001 00:00:00 GMT' }
  lab.server.once('/v1/x', () => Promise.resolve(new Response('x', { headers })))
  await program.connections.proxy('con_1', 'v1/x')
  const before = lab.server.counts.refused
  await program.connections.get('con_1')
  expect(lab.server.counts.refused).toBe(before)
})

test('a stream that goes through the proxy after a quiet while is not refused for a nonce that is over', async () => {
  await program.connections.list()
  lab.pass(6.5 * MINUTE)
  expect((await program.connections.proxy('con_1', 'v1/upload', upload())).status).toBe(200)
})

test('whoever wants no redirect gets an error instead of where it leads', async () => {
  answers = [() => new Response('', { status: 302, headers: { location: '/you' } })]
  await expect(program.connections.fetch('con_1', `${API}/me`, { redirect: 'error' })).rejects.toThrow(TypeError)
  expect(sent).toHaveLength(1)
})

test('a stream that was refused for the credential of this machine is not sent again, and the next one has a new credential', async () => {
  await program.whoami()
  lab.server.rotate()
  expect(await codeOf(program.connections.proxy('con_1', 'v1/upload', upload()))).toBe('access_token_expired')
  expect((await program.connections.proxy('con_1', 'v1/upload', upload())).status).toBe(200)
  expect(lab.server.counts.rotations).toBe(1)
})

test('a stream that an API refused reports its token, so that the next request has another', async () => {
  answers = [refuse]
  expect((await program.connections.fetch('con_1', `${API}/upload`, upload())).status).toBe(401)
  expect((await program.connections.fetch('con_1', `${API}/upload`, upload())).status).toBe(200)
  expect(seen()).toEqual(['Bearer token-7', 'Bearer token-8'])
})

test('a token that is over is in memory no more, also when nobody asks for it again', async () => {
  lab.server.connections.set('con_2', { id: 'con_2', generation: 1, expiresAt: null })
  await program.connections.token('con_1')
  lab.pass(2 * MINUTE)
  await program.connections.token('con_2')
  // Were it there still, a clock that is set back would make it good again.
  lab.pass(-1.5 * MINUTE)
  await program.connections.token('con_1')
  expect(lab.server.counts.tokens).toBe(3)
})
