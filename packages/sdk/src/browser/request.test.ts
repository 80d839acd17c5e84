import { expect, test } from 'vitest'
import { bearerSession } from './branch.ts'
import { isEvergrantError } from './index.ts'
import { createBrowserLab, forget, recordEvents, times } from './testing/browser-lab.ts'
import { settled } from './testing/held-time.ts'
import { API, gate } from './testing/strict-server.ts'

test('C01: ten requests with an expired token cost one refresh and are all answered', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  expect(await lab.outcomes(times(10, () => client.fetch(`${API}/a`)))).toEqual(times(10, () => 200))
  expect(lab.server.counts).toMatchObject({ refreshes: 1, api: 20, reuses: 0 })
})

test('C02 and I2: a 401 that arrives after the refresh is compared with the version that was sent, and only sent again', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  const delays = [0, 0, 0, 200, 300, 400, 500, 600, 700, 800]
  expect(await lab.outcomes(delays.map((delay) => client.fetch(`${API}/a?delay=${delay}`)))).toEqual(times(10, () => 200))
  expect(lab.server.counts).toMatchObject({ refreshes: 1, api: 20 })
})

test('C03: a request that is made during a refresh waits and is sent once, with the new token', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  const held = gate()
  lab.server.onRefresh(async (commit) => {
    await held.opened
    return commit()
  })
  const first = client.fetch(`${API}/first`)
  await settled()
  const second = client.fetch(`${API}/second`)
  await settled()
  expect(lab.server.sent.filter(({ url }) => url.endsWith('/second'))).toEqual([])
  held.open()
  expect(await lab.outcomes([first, second])).toEqual([200, 200])
  expect(lab.server.sent.filter(({ url }) => url.endsWith('/second'))).toHaveLength(1)
})

test('C04: a request that was sent before the refresh and answered 200 is left alone', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const early = client.fetch(`${API}/a?delay=500`)
  await settled()
  await client.refresh({ force: true })
  expect(await lab.outcomes([early])).toEqual([200])
  expect(lab.server.counts).toMatchObject({ refreshes: 1, api: 1 })
})

test('C05 and I3: an API that refuses the new token as well gets two sends, and the caller the 401', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const events = recordEvents(client)
  expect(await lab.outcomes([client.fetch(`${API}/never`)])).toEqual([401])
  expect(lab.server.counts).toMatchObject({ refreshes: 1, api: 2 })
  await settled()
  expect(events).toContain('refresh_ineffective')
})

test('an API that refuses every token does not cause a refresh for each of its answers', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  for (let call = 0; call < 20; call += 1) expect(await lab.outcomes([client.fetch(`${API}/never`)])).toEqual([401])
  expect(lab.server.counts).toMatchObject({ refreshes: 1, api: 21 })
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
})

test('C06: a refusal of the refresh itself is not refreshed', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  lab.server.onRefresh(() => lab.server.refusal('access_token_expired', 'expired'))
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual(['RefreshUnavailableError'])
  expect(lab.server.sent.filter(({ url }) => url.endsWith('/auth/refresh'))).toHaveLength(1)
})

const SAID = [
  ['session_missing', 'missing'],
  ['session_expired', 'expired'],
  ['session_signed_out', 'revoked'],
  ['session_revoked', 'revoked'],
  ['session_reuse_detected', 'revoked'],
  ['access_token_expired', 'expired'],
  ['unauthenticated', 'missing'],
  ['dpop_proof_invalid', 'a mark of tomorrow'],
] as const

test.each(SAID)('a 401 of an API that says %s, marked %s, means a refresh and no sign-out: only auth/refresh ends a session', async (code, mark) => {
  const lab = createBrowserLab()
  let refusals = 1
  const jar = lab.server.signedIn()
  const server = lab.server.fetchOf(jar)
  const client = lab.page(jar, {
    fetch: async (input, init) => {
      const { pathname } = new URL((input as Request).url ?? input)
      if (pathname !== '/a' || refusals === 0) return server(input, init)
      refusals -= 1
      return Response.json({ code, status: 401 }, { status: 401, headers: { 'evergrant-auth': mark } })
    },
  })
  await client.refresh()
  forget(lab.server)
  const events = recordEvents(client)
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
  expect(lab.server.counts).toMatchObject({ refreshes: 1, api: 1 })
  refusals = Number.POSITIVE_INFINITY
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([401])
  await settled()
  expect(client.getState().status).toBe('authenticated')
  expect(events).not.toContain('signed_out')
})

test('C07: a 401 without our mark is somebody else’s', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  expect(await lab.outcomes([client.fetch(`${API}/foreign`)])).toEqual([401])
  expect(lab.server.counts).toMatchObject({ refreshes: 0, api: 1 })
})

test('C13: an old token of ours in the header is replaced, a foreign credential is left alone', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const old = await client.accessToken()
  lab.server.expireTokens()
  await client.refresh({ force: true })
  expect(await lab.outcomes([client.fetch(`${API}/a`, { headers: { authorization: `Bearer ${old}` } })])).toEqual([200])
  const answer = await client.fetch(`${API}/a`, { headers: { authorization: 'Basic Zm9vOmJhcg==' } })
  expect(answer.status).toBe(401)
  expect(lab.server.sent.at(-1)?.headers.get('authorization')).toBe('Basic Zm9vOmJhcg==')
})

test('C27 and I5: an abort ends the wait of its request at once, and the refresh goes on for the others', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  const held = gate()
  lab.server.onRefresh(async (commit) => {
    await held.opened
    return commit()
  })
  const abort = new AbortController()
  const impatient = client.fetch(`${API}/a`, { signal: abort.signal })
  const patient = client.fetch(`${API}/b`)
  await settled()
  abort.abort()
  await expect(impatient).rejects.toMatchObject({ name: 'AbortError' })
  held.open()
  expect(await lab.outcomes([patient])).toEqual([200])
  expect(lab.server.counts.refreshes).toBe(1)
})

test('C26: the timeout of a request keeps running while it waits', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  lab.server.onRefresh(() => new Promise(() => {}))
  await expect(client.fetch(`${API}/a`, { signal: AbortSignal.timeout(20) })).rejects.toMatchObject({ name: 'TimeoutError' })
})

test('I6: the queue has an end, and everybody in it leaves in the order of arrival', async () => {
  const lab = createBrowserLab()
  const client = lab.page(lab.server.signedIn())
  const held = gate()
  lab.server.onRefresh(async (commit) => {
    await held.opened
    return commit()
  })
  const queued = times(1_000, (index) => client.fetch(`${API}/${index}`))
  await expect(client.fetch(`${API}/late`)).rejects.toMatchObject({ name: 'RefreshUnavailableError', code: 'queue_full' })
  held.open()
  expect(new Set(await lab.outcomes(queued))).toEqual(new Set([200]))
  const order = lab.server.sent.filter(({ url }) => url.startsWith(API)).map(({ url }) => Number(url.slice(API.length + 1)))
  expect(order).toEqual(times(1_000, (index) => index))
})

test('C32, C33 and C34: 500, 405 and a broken network pass through without a refresh', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  expect(await lab.outcomes([client.fetch(`${API}/broken`)])).toEqual([500])
  const cut = lab.page(lab.server.signedIn(), {
    fetch: async (input, init) => {
      if (new URL((input as Request).url ?? input).origin === API) throw new TypeError('Failed to fetch')
      return lab.server.fetchOf(lab.server.signedIn())(input, init)
    },
  })
  expect(await lab.outcomes([cut.fetch(`${API}/a`)])).toEqual(['TypeError'])
  expect(cut.getState().status).toBe('authenticated')
})

const form = (): FormData => {
  const data = new FormData()
  data.set('name', 'Ana')
  data.set('file', new Blob(['bytes'], { type: 'text/plain' }), 'a.txt')
  return data
}
const bodies: readonly (readonly [string, () => BodyInit])[] = [
  ['JSON', () => JSON.stringify({ a: 1 })],
  ['FormData', form],
  ['Blob', () => new Blob(['blob'])],
  ['ArrayBuffer', () => new Uint8Array([0, 1, 254, 255]).buffer],
  ['URLSearchParams', () => new URLSearchParams({ q: 'ä&=' })],
]
for (const [name, body] of bodies) {
  test(`C60: a body of ${name} is replayed byte by byte`, async () => {
    const lab = createBrowserLab()
    const { client } = await lab.signedIn()
    lab.server.expireTokens()
    expect(await lab.outcomes([client.fetch(`${API}/a`, { method: 'POST', body: body(), headers: { 'idempotency-key': 'k1' } })])).toEqual([200])
    const [first, second] = lab.server.sent.filter(({ url }) => url.startsWith(API))
    expect(second?.body).toBe(first?.body)
    expect(first?.body).not.toBe('')
    // C65: what the application chose to make a repetition harmless stays the same.
    expect(second?.headers.get('idempotency-key')).toBe('k1')
    expect(second?.headers.get('content-type')).toBe(first?.headers.get('content-type'))
  })
}

test('C61 and C62: a Request with a body is replayed, and may be used again as far as fetch allows', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  const request = new Request(`${API}/a`, { method: 'PUT', body: 'whole' })
  const copy = request.clone()
  expect(await lab.outcomes([client.fetch(request)])).toEqual([200])
  expect(request.bodyUsed).toBe(true)
  expect(await lab.outcomes([client.fetch(copy)])).toEqual([200])
  expect(lab.server.sent.filter(({ url }) => url.startsWith(API)).map(({ body }) => body)).toEqual(['whole', 'whole', 'whole'])
})

const stream = (text: string): ReadableStream =>
  new ReadableStream({
    start(controller) {
      controller.enqueue(new TextEncoder().encode(text))
      controller.close()
    },
  })

test('C63 and I8: a streamed body is never sent twice: refused, it is a typed error, and the session is fresh', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  const upload = (): Promise<Response> => client.fetch(`${API}/a`, { method: 'POST', body: stream('bytes'), duplex: 'half' } as RequestInit)
  const failure = await lab.time.run(upload().catch((error: unknown) => error))
  expect(failure).toMatchObject({ name: 'NotReplayableError', code: 'not_replayable', action: 'retry' })
  expect(isEvergrantError(failure)).toBe(true)
  expect(lab.server.counts).toMatchObject({ api: 1, refreshes: 1 })
  expect(await (await lab.time.run(upload())).text()).toBe('bytes')
})

test('I8: a streamed body near the end of the token waits for a fresh one, other requests do not', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  await lab.time.advance(560_000)
  const held = gate()
  lab.server.onRefresh(async (commit) => {
    await held.opened
    return commit()
  })
  const upload = client.fetch(`${API}/up`, { method: 'POST', body: stream('bytes'), duplex: 'half' } as RequestInit)
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
  expect(lab.server.sent.some(({ url }) => url.endsWith('/up'))).toBe(false)
  held.open()
  expect(await lab.outcomes([upload])).toEqual([200])
  expect(lab.server.counts).toMatchObject({ api: 2, refused: 0, refreshes: 1 })
})

test('C64: an answer streams through untouched', async () => {
  const lab = createBrowserLab()
  const answer = new Response(stream('slow'))
  const { client } = await lab.signedIn()
  const passing = lab.page(undefined, { fetch: async () => answer, isAuthFailure: () => false })
  expect(await passing.fetch('https://elsewhere.test/')).toBe(answer)
  expect(answer.bodyUsed).toBe(false)
  client.dispose()
})

test('C65: without the mark that nothing was executed, only safe methods are sent again', async () => {
  const lab = createBrowserLab()
  const tried: string[] = []
  const send: typeof fetch = async (input, init) => {
    const request = new Request(input, init)
    if (!request.url.startsWith(API)) return lab.server.fetchOf(jar)(request)
    tried.push(request.method)
    return new Response(null, { status: 401 })
  }
  const jar = lab.server.signedIn()
  const client = lab.page(jar, { fetch: send, isAuthFailure: ({ status }) => status === 401 })
  await client.refresh()
  expect(await lab.outcomes([client.fetch(`${API}/a`, { method: 'POST', body: 'x' })])).toEqual([401])
  expect(tried).toEqual(['POST'])
  await lab.time.advance(1_000)
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([401])
  expect(tried).toEqual(['POST', 'GET', 'GET'])
})

test('a policy or a request that forbids replays gets its 401, and the next request a fresh token', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  expect(await lab.outcomes([client.fetch(`${API}/a`, { evergrant: { replay: 'never' } })])).toEqual([401])
  expect(await lab.outcomes([client.fetch(`${API}/a`)])).toEqual([200])
  const strict = await lab.signedIn({ replay: 'safe-methods' })
  lab.server.expireTokens()
  expect(await lab.outcomes([strict.client.fetch(`${API}/a`, { method: 'POST', body: 'x' })])).toEqual([401])
  lab.server.expireTokens()
  expect(await lab.outcomes([strict.client.fetch(`${API}/a`)])).toEqual([200])
})

test('C67: only the listed origins get the token: not another port, not a subdomain, not http', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  const foreign = [
    'https://api.test:8443/a',
    'https://x.api.test/a',
    'http://api.test/a',
    'https://api.test.evil.test/a',
    'https://evil.test/?https://api.test/',
  ]
  for (const url of foreign) await client.fetch(url)
  expect(lab.server.sent.map(({ headers }) => headers.get('authorization'))).toEqual(foreign.map(() => null))
  await client.fetch(new URL('/b', API))
  await client.fetch(new Request(`${API}/c`))
  expect(lab.server.sent.slice(-2).every(({ headers }) => headers.get('authorization')?.startsWith('Bearer at.'))).toBe(true)
})

test.each(['api.example.com', '/api', ''])(
  'an origin without a scheme (%j) is refused: it would be read as a path of ours, and the API that is meant would never get a token',
  (origin) => {
    expect(() => createBrowserLab().page(undefined, { origins: [origin] })).toThrow(TypeError)
  },
)

test('C68: cookies go along as the caller says, and by ourselves only to auth', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  await client.fetch(`${API}/a`)
  await client.fetch(`${API}/a`, { credentials: 'omit' })
  await client.fetch('https://evil.test/')
  await client.refresh({ force: true })
  expect(lab.server.sent.map(({ credentials }) => credentials)).toEqual(['same-origin', 'omit', 'same-origin', 'include'])
  const bearer = lab.page(undefined, { session: bearerSession({ refreshToken: 'none.1' }) })
  forget(lab.server)
  await bearer.refresh()
  expect(lab.server.sent.map(({ credentials }) => credentials)).toEqual(['omit'])
})

test('a request that says so is sent as plain fetch would', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  expect(await lab.outcomes([client.fetch(`${API}/a`, { evergrant: { skip: true } })])).toEqual([401])
  expect(lab.server.sent.map(({ headers }) => headers.get('authorization'))).toEqual([null])
})

test('C28: a failed refresh rejects what waited with a typed error that says when, never with a cancellation', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  lab.server.expireTokens()
  lab.server.onRefresh(() => lab.server.problem(503, 'store_unavailable', {}, { 'retry-after': '7' }))
  const failure = await lab.time.run(client.fetch(`${API}/a`).catch((error: unknown) => error))
  expect(failure).toMatchObject({ name: 'RefreshUnavailableError', code: 'refresh_unavailable', action: 'wait', retryAt: new Date(lab.time.now() + 7_000) })
})

test('a request that had to wait says so', async () => {
  const lab = createBrowserLab()
  const client = lab.page(lab.server.signedIn())
  const events = recordEvents(client)
  let waited = 0
  await client.fetch(`${API}/a`, { evergrant: { onQueued: () => (waited += 1) } })
  await client.fetch(`${API}/a`, { evergrant: { onQueued: () => (waited += 1) } })
  await settled()
  expect(waited).toBe(1)
  expect(events).toEqual(['queued', 'signed_in', 'refreshed'])
})

test('C03: a token that is refused during a renewal ahead of time makes later requests wait for it', async () => {
  const lab = createBrowserLab()
  const { client } = await lab.signedIn()
  await lab.time.advance(545_000)
  const held = gate()
  lab.server.onRefresh(async (commit) => {
    await held.opened
    return commit()
  })
  expect(await lab.outcomes([client.fetch(`${API}/early`)])).toEqual([200])
  lab.server.expireTokens()
  const refused = client.fetch(`${API}/refused`)
  await settled()
  const later = client.fetch(`${API}/later`)
  await settled()
  expect(lab.server.sent.some(({ url }) => url.endsWith('/later'))).toBe(false)
  held.open()
  expect(await lab.outcomes([refused, later])).toEqual([200, 200])
  expect(lab.server.counts).toMatchObject({ refreshes: 1, refused: 1 })
})
