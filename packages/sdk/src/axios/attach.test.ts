import { Readable } from 'node:stream'
import axios, { AxiosError, type AxiosInstance } from 'axios'
import NodeForm from 'form-data'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openSessionLab, type SessionLab } from '../../../../tests/session-lab.ts'
import { bearerSession, createEvergrant } from '../browser/index.ts'
import { attachEvergrant } from './attach.ts'

let lab: SessionLab
let client: ReturnType<typeof createEvergrant>
let instance: AxiosInstance
let detach: () => void

async function open(adapter: 'http' | 'fetch'): Promise<void> {
  lab = await openSessionLab()
  client = createEvergrant({ baseUrl: lab.url, session: bearerSession({ refreshToken: lab.refreshToken }), coordination: 'none' })
  await client.refresh()
  instance = axios.create({ baseURL: lab.url, adapter })
  detach = attachEvergrant(instance, client)
}

afterEach(async () => {
  client.dispose()
  await lab.close()
})

const failure = (sending: Promise<unknown>): Promise<AxiosError> =>
  sending.then(
    () => expect.fail('it was answered'),
    (error) => error,
  )

describe.each(['http', 'fetch'] as const)('through the adapter %s', (adapter) => {
  beforeEach(() => open(adapter))

  test('five requests that are refused together are answered together, after one refresh', async () => {
    const before = lab.refreshes()
    lab.expire()
    const answers = await Promise.all(Array.from({ length: 5 }, () => instance.get('/things')))
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200])
    expect(lab.refreshes() - before).toBe(1)
    expect(lab.reuses()).toBe(0)
  })

  test('refusals that arrive after the refresh are sent again without another', async () => {
    const before = lab.refreshes()
    lab.expire()
    const names = ['a', 'b', 'c', 'd', 'e']
    const sent = names.map((name) => instance.get(`/late/${name}`))
    await vi.waitFor(() => expect(lab.seen.filter(({ status }) => status === 401)).toHaveLength(5))
    for (const [index, name] of names.entries()) {
      await axios.get(`${lab.url}/release/${name}`)
      expect((await sent[index]!).status).toBe(200)
    }
    expect(lab.refreshes() - before).toBe(1)
  })

  test('two instances share the refresh of one client', async () => {
    const before = lab.refreshes()
    const other = axios.create({ baseURL: lab.url, adapter })
    attachEvergrant(other, client)
    lab.expire()
    const answers = await Promise.all([instance.get('/things'), other.get('/things'), instance.get('/things')])
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200])
    expect([lab.refreshes() - before, lab.reuses()]).toEqual([1, 0])
  })

  test('an address that refuses every token is asked twice, after one refresh, and its 401 comes back', async () => {
    const before = lab.refreshes()
    const error = await failure(instance.get('/always'))
    expect(error.response?.status).toBe(401)
    expect(lab.seen.filter(({ path }) => path === '/always')).toHaveLength(2)
    expect(lab.refreshes() - before).toBe(1)
  })

  test('a 401 without our mark is not ours', async () => {
    const before = lab.refreshes()
    expect((await failure(instance.get('/foreign'))).response?.status).toBe(401)
    expect(lab.seen).toHaveLength(1)
    expect(lab.refreshes()).toBe(before)
  })

  test('a request that waits for a refresh is cancelled at once, and the others still get it', async () => {
    const open = lab.holdRefresh()
    lab.expire()
    const before = lab.presented()
    const caller = new AbortController()
    const patient = instance.get('/things')
    const impatient = failure(instance.get('/things', { signal: caller.signal }))
    await vi.waitFor(() => expect(lab.presented()).toBe(before + 1))
    caller.abort()
    expect(axios.isCancel(await impatient)).toBe(true)
    open()
    expect((await patient).status).toBe(200)
  })

  test('a cancel token is heard while waiting, with its message', async () => {
    const open = lab.holdRefresh()
    lab.expire()
    const before = lab.presented()
    const source = axios.CancelToken.source()
    const waiting = failure(instance.get('/things', { cancelToken: source.token }))
    await vi.waitFor(() => expect(lab.presented()).toBe(before + 1))
    source.cancel('changed my mind')
    expect(await waiting).toMatchObject({ message: 'changed my mind', code: 'ERR_CANCELED' })
    open()
  })

  test('a cancel token that many requests share keeps nothing of those that are answered', async () => {
    const { token } = axios.CancelToken.source()
    for (let time = 0; time < 3; time += 1) await instance.get('/things', { cancelToken: token })
    expect(Reflect.get(token, '_listeners')).toEqual([])
  })

  test('the timeout of a request counts while it waits', async () => {
    const open = lab.holdRefresh()
    lab.expire()
    const error = await failure(instance.get('/things', { timeout: 40 }))
    expect(error).toMatchObject({ code: 'ECONNABORTED', message: 'timeout of 40ms exceeded' })
    expect(axios.isCancel(error)).toBe(false)
    open()
  })

  test('a refresh that cannot be had rejects with a typed error that is no cancellation and no 401', async () => {
    lab.expire()
    lab.answerRefresh({ status: 503, retryAfter: 30 })
    const errors = await Promise.all(Array.from({ length: 5 }, () => failure(instance.get('/things'))))
    for (const error of errors) {
      expect(error).toBeInstanceOf(AxiosError)
      expect(error.code).toBe('ERR_EVERGRANT_REFRESH')
      expect(error.cause).toMatchObject({ name: 'RefreshUnavailableError', action: 'wait' })
      expect(error.response).toBeUndefined()
      expect(axios.isCancel(error)).toBe(false)
    }
    expect(client.getState().status).toBe('degraded')
  })

  test('the end of the session rejects with what the server said', async () => {
    lab.expire()
    lab.answerRefresh({ status: 401, code: 'session_revoked' })
    expect((await failure(instance.get('/things'))).cause).toMatchObject({ name: 'SignedOutError', code: 'session_revoked' })
  })

  test('trouble of the network passes as axios words it', async () => {
    const port = new URL(lab.url).port
    await lab.close()
    const error = await failure(instance.get('/things'))
    expect(error.code).toBe(adapter === 'http' ? 'ECONNREFUSED' : 'ERR_NETWORK')
    expect(error).toBeInstanceOf(AxiosError)
    lab = await openSessionLab()
    expect(port).not.toBe('')
  })

  test('interceptors and transforms of the application run once for each call', async () => {
    const ran: string[] = []
    instance.interceptors.request.use((config) => {
      ran.push('request')
      return config
    })
    instance.interceptors.response.use((response) => {
      ran.push('response')
      return response
    })
    lab.expire()
    await instance.post('/things', { name: 'Ana' })
    expect(ran).toEqual(['request', 'response'])
    expect(lab.seen.filter(({ path }) => path === '/things').map(({ body }) => body)).toEqual(['{"name":"Ana"}', '{"name":"Ana"}'])
  })

  test.each([
    ['text', () => 'plain', 'plain'],
    ['form fields', () => new URLSearchParams({ a: '1', b: 'zwei' }), 'a=1&b=zwei'],
    ['bytes', () => new Uint8Array([65, 66, 67]), 'ABC'],
  ])('a body of %s is the same the second time', async (_name, make, text) => {
    lab.expire()
    await instance.post('/things', make())
    expect(lab.seen.map(({ body }) => body)).toEqual([text, text])
  })

  test('a form with a file is whole the second time', async () => {
    const form = new FormData()
    form.set('note', 'hello')
    form.set('file', new Blob(['contents']), 'a.txt')
    lab.expire()
    await instance.post('/things', form)
    // The runtime draws a boundary for each send.
    const bodies = lab.seen.map(({ body }) => body.replaceAll(/-*formdata-undici-\d+|-*axios-[\w.]+-boundary-[\w-]+/g, '|'))
    expect(bodies[1]).toContain('contents')
    expect(bodies[1]).toBe(bodies[0])
  })

  test('the access token stays out of configs, where logs find it', async () => {
    const good = await instance.get('/things')
    expect(JSON.stringify(good.config)).not.toContain('access-')
    const bad = await failure(instance.get('/always'))
    expect(JSON.stringify(bad.toJSON())).not.toContain('access-')
    expect(JSON.stringify(bad.response?.config)).not.toContain('access-')
  })

  test('a request may do without', async () => {
    await failure(instance.get('/things', { evergrant: { skip: true } }))
    expect(lab.seen[0]?.authorization).toBeUndefined()
  })

  test('a token of ours that the application kept is replaced, and a credential of another kind is respected', async () => {
    lab.expire()
    await instance.get('/things', { headers: { Authorization: 'Bearer access-2' } })
    expect(lab.seen.at(-1)?.authorization).toBe('Bearer access-3')
    await failure(instance.get('/things', { headers: { Authorization: 'Basic abc' } }))
    expect(lab.seen.at(-1)?.authorization).toBe('Basic abc')
    await failure(instance.get('/things', { auth: { username: 'a', password: 'b' } }))
    expect(lab.seen.at(-1)?.authorization).toBe('Basic YTpi')
  })

  test('an application that accepts every status gets the last answer', async () => {
    lab.expire()
    const { status } = await instance.get('/things', { validateStatus: () => true })
    expect(status).toBe(200)
    expect((await instance.get('/always', { validateStatus: () => true })).status).toBe(401)
  })
})

describe('attaching', () => {
  beforeEach(() => open('http'))

  test('instances made from an attached one are attached', async () => {
    const child = instance.create()
    lab.expire()
    expect((await child.get('/things')).status).toBe(200)
  })

  test('detaching gives the adapter back, and instances made meanwhile pass on as before', async () => {
    const child = instance.create()
    detach()
    expect(instance.defaults.adapter).toBe('http')
    await failure(instance.get('/things'))
    await failure(child.get('/things'))
    expect(lab.seen.map(({ authorization }) => authorization)).toEqual([undefined, undefined])
  })

  test('attaching again takes the place of the first', async () => {
    const again = attachEvergrant(instance, client)
    lab.expire()
    const before = lab.presented()
    expect((await failure(instance.get('/always'))).response?.status).toBe(401)
    expect(lab.seen).toHaveLength(2)
    expect(lab.presented() - before).toBe(1)
    detach()
    expect((await instance.get('/things')).status).toBe(200)
    again()
    expect(instance.defaults.adapter).toBe('http')
  })

  test('an instance without an adapter of its own gets the one of axios', async () => {
    const bare = axios.create({ baseURL: lab.url })
    delete bare.defaults.adapter
    attachEvergrant(bare, client)
    expect((await bare.get('/things')).status).toBe(200)
  })

  test('other origins get no token', async () => {
    const other = await openSessionLab()
    await failure(instance.get(`${other.url}/things`))
    expect(other.seen[0]?.authorization).toBeUndefined()
    await other.close()
  })

  test('the base address of the global instance is nobody else’s', async () => {
    axios.defaults.baseURL = 'https://elsewhere.example'
    try {
      expect((await instance.get(`${lab.url}/things`)).status).toBe(200)
      expect(lab.seen[0]?.authorization).toBe('Bearer access-2')
    } finally {
      delete axios.defaults.baseURL
    }
  })
})

describe('streams', () => {
  beforeEach(() => open('http'))

  test('a Node stream is refused with ERR_NOT_REPLAYABLE instead of being sent empty', async () => {
    lab.expire()
    const error = await failure(instance.post('/things', Readable.from(['some bytes'])))
    expect(error).toMatchObject({ code: 'ERR_NOT_REPLAYABLE' })
    expect(error.response).toBeUndefined()
    expect(lab.seen.map(({ body }) => body)).toEqual(['some bytes'])
    expect((await instance.post('/things', Readable.from(['once more']))).data).toMatchObject({ body: 'once more' })
  })

  test('a form of the form-data package is whole the second time, unless one of its parts is a stream', async () => {
    const form = new NodeForm()
    form.append('note', 'hello')
    form.append('file', Buffer.from('contents'), { filename: 'a.txt' })
    lab.expire()
    await instance.post('/things', form)
    expect(lab.seen[1]?.body).toContain('contents')
    expect(lab.seen[1]?.body).toBe(lab.seen[0]?.body)
    const streaming = new NodeForm()
    streaming.append('file', Readable.from(['x']), { filename: 'b.txt' })
    lab.expire()
    expect((await failure(instance.post('/things', streaming))).code).toBe('ERR_NOT_REPLAYABLE')
  })

  test('a streamed answer that was refused is let go before the next', async () => {
    const answers: Readable[] = []
    instance.defaults.adapter = (config) => {
      const sending = axios.getAdapter('http')(config)
      const keep = ({ data }: { data: Readable }): unknown => answers.push(data)
      sending.then(keep, (error) => keep(error.response))
      return sending
    }
    attachEvergrant(instance, client)
    lab.expire()
    const { data } = await instance.get('/things', { responseType: 'stream' })
    const chunks: Buffer[] = []
    for await (const chunk of data) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toContain('/things')
    expect(answers).toHaveLength(2)
    expect(answers[0]?.destroyed).toBe(true)
    expect(answers[0]?.readableEnded).toBe(false)
  })
})
