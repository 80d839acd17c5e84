import { Readable } from 'node:stream'
import axios, { type AxiosInstance } from 'axios'
import { createAuthRefresh as published } from 'axios-auth-refresh'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { openSessionLab, type SessionLab } from '../../../../tests/session-lab.ts'
import { createAuthRefreshInterceptor, createAuthRefresh as ours } from './create-auth-refresh.ts'

/** Its types name the CommonJS half of axios; the functions are the same. */
const theirs = published as unknown as typeof ours

let lab: SessionLab
let tokens: { access: string; refresh: string }
let calls: number

beforeEach(async () => {
  lab = await openSessionLab()
  tokens = { access: 'access-0', refresh: lab.refreshToken }
  calls = 0
})
afterEach(() => lab.close())

/** An application as the README of axios-auth-refresh writes it: a token at hand, a request interceptor that adds it. */
function application(): AxiosInstance {
  const instance = axios.create({ baseURL: lab.url })
  instance.interceptors.request.use((config) => {
    config.headers['Authorization'] = `Bearer ${tokens.access}`
    return config
  })
  return instance
}

/** The refresh function of that README; it answers on the same instance or on another. */
const refreshOn =
  (instance: AxiosInstance) =>
  async (failed: { response: { config: { headers: Record<string, string> } } }): Promise<void> => {
    calls += 1
    const { data } = await instance.post(`${lab.url}/api/v1/auth/refresh`, { refresh_token: tokens.refresh })
    tokens = { access: data.access_token, refresh: data.refresh_token }
    failed.response.config.headers['Authorization'] = `Bearer ${data.access_token}`
  }

async function statuses(sent: readonly Promise<{ readonly status: number }>[]): Promise<number[]> {
  const settled = await Promise.allSettled(sent)
  return settled.map((result) => (result.status === 'fulfilled' ? result.value.status : (result.reason?.response?.status ?? 0)))
}

const five = (instance: AxiosInstance): Promise<number[]> => statuses(Array.from({ length: 5 }, () => instance.get('/things')))

describe.each([
  ['axios-auth-refresh', theirs],
  ['ours', ours],
])('what is documented holds with %s', (_name, createAuthRefresh) => {
  test('a refused request is sent again after the refresh', async () => {
    const instance = application()
    createAuthRefresh(instance, refreshOn(axios))
    expect((await instance.get('/things')).status).toBe(200)
    expect(calls).toBe(1)
  })

  test('the refresh may use the same instance', async () => {
    const instance = application()
    createAuthRefresh(instance, refreshOn(instance))
    expect((await instance.get('/things')).status).toBe(200)
  })

  test('skipAuthRefresh lets the refusal through', async () => {
    const instance = application()
    createAuthRefresh(instance, refreshOn(axios))
    expect(await statuses([instance.get('/things', { skipAuthRefresh: true } as object)])).toEqual([401])
    expect(calls).toBe(0)
  })

  test('statusCodes and shouldRefresh choose the refusals', async () => {
    const [one, two] = [application(), application()]
    createAuthRefresh(one, refreshOn(axios), { statusCodes: [403] })
    expect(await statuses([one.get('/things')])).toEqual([401])
    createAuthRefresh(two, refreshOn(axios), { statusCodes: [403], shouldRefresh: (error) => error.response?.status === 401 })
    expect(await statuses([two.get('/things')])).toEqual([200])
  })

  test('onRetry sees the config before it is sent again', async () => {
    const instance = application()
    const onRetry = vi.fn((config) => ({ ...config, url: '/elsewhere' }))
    createAuthRefresh(instance, refreshOn(axios), { onRetry })
    expect((await instance.get('/things')).data).toMatchObject({ path: '/elsewhere' })
  })

  test('retryInstance sends the second time', async () => {
    const [instance, other] = [application(), application()]
    const sent: (string | undefined)[] = []
    other.interceptors.request.use((config) => {
      sent.push(config.url)
      return config
    })
    createAuthRefresh(instance, refreshOn(axios), { retryInstance: other })
    expect((await instance.get('/things')).status).toBe(200)
    expect(sent).toEqual(['/things'])
  })

  test('interceptNetworkError refreshes after an answer that CORS hides', async () => {
    const instance = application()
    let first = true
    const { getAdapter } = axios
    instance.defaults.adapter = (config) => {
      if (!first) return getAdapter('http')(config)
      first = false
      return Promise.reject(new axios.AxiosError('Network Error', 'ERR_NETWORK', config, { status: 0 }))
    }
    createAuthRefresh(instance, refreshOn(axios), { interceptNetworkError: true })
    expect((await instance.get('/things')).status).toBe(200)
  })

  test('the refusal comes back when the refresh does not help', async () => {
    const instance = application()
    createAuthRefresh(instance, refreshOn(axios))
    expect(await statuses([instance.get('/always')])).toEqual([401])
    expect(calls).toBe(1)
    expect(lab.seen).toHaveLength(2)
  })

  test('a failed refresh rejects with its own error', async () => {
    const instance = application()
    createAuthRefresh(instance, () => Promise.reject(new Error('no network')))
    await expect(instance.get('/things')).rejects.toThrow('no network')
  })

  test('the id that it returns takes it away again', async () => {
    const instance = application()
    instance.interceptors.response.eject(createAuthRefresh(instance, refreshOn(axios)))
    expect(await statuses([instance.get('/things')])).toEqual([401])
  })

  test('a refresh function is required', () => {
    expect(() => createAuthRefresh(application(), undefined as never)).toThrow('refreshAuthCall')
  })
})

describe('where axios-auth-refresh loses requests', () => {
  test('five refused together: theirs answers one, ours all, with one refresh each', async () => {
    const instance = application()
    theirs(instance, refreshOn(axios))
    let lost = 0
    const open = lab.holdRefresh()
    const sent = Array.from({ length: 5 }, () => instance.get('/things'))
    for (const sending of sent) sending.catch(() => (lost += 1))
    await vi.waitFor(() => expect(lost).toBe(4))
    open()
    expect((await statuses(sent)).filter((status) => status === 200)).toHaveLength(1)
    expect(calls).toBe(1)
    tokens = { ...tokens, access: 'access-0' }
    const other = application()
    ours(other, refreshOn(axios))
    expect(await five(other)).toEqual([200, 200, 200, 200, 200])
    expect(calls).toBe(2)
  })

  test('late refusals: theirs loses the first and refreshes again for others, ours answers all after one refresh', async () => {
    const late = async (instance: AxiosInstance): Promise<number[]> => {
      const names = ['a', 'b', 'c']
      const sent = names.map((name) => instance.get(`/late/${name}`))
      const from = lab.seen.length
      await vi.waitFor(() => expect(lab.seen.length - from).toBe(3))
      for (const [index, name] of names.entries()) {
        await axios.get(`${lab.url}/release/${name}`)
        await sent[index]?.catch(() => undefined)
      }
      return statuses(sent)
    }
    const instance = application()
    theirs(instance, refreshOn(axios))
    await late(instance)
    expect(calls).toBeGreaterThan(1)
    calls = 0
    tokens = { ...tokens, access: 'access-0' }
    const other = application()
    ours(other, refreshOn(axios))
    expect(await late(other)).toEqual([200, 200, 200])
    expect(calls).toBe(1)
  })

  test('two instances with one token store: theirs refreshes twice, ours once', async () => {
    const refresh = refreshOn(axios)
    const both = async (create: typeof ours): Promise<number[]> => {
      const [one, two] = [application(), application()]
      create(one, refresh)
      create(two, refresh)
      return statuses([one.get('/things'), two.get('/things')])
    }
    await both(theirs)
    expect(calls).toBe(2)
    calls = 0
    tokens = { ...tokens, access: 'access-0' }
    expect(await both(ours)).toEqual([200, 200])
    expect(calls).toBe(1)
  })

  test('an abort is heard while the refresh is under way', async () => {
    const open = lab.holdRefresh()
    const instance = application()
    createAuthRefreshInterceptor(instance, refreshOn(axios))
    const caller = new AbortController()
    const patient = instance.get('/things')
    const impatient = instance.get('/things', { signal: caller.signal }).catch((error: unknown) => error)
    await vi.waitFor(() => expect([lab.presented(), lab.seen.length]).toEqual([1, 2]))
    caller.abort()
    expect(axios.isCancel(await impatient)).toBe(true)
    open()
    expect((await patient).status).toBe(200)
  })

  test('a request made during the refresh waits for it and is sent once, and a failed refresh rejects it without cancelling', async () => {
    const open = lab.holdRefresh()
    const instance = application()
    ours(instance, refreshOn(axios))
    const first = instance.get('/things')
    await vi.waitFor(() => expect(lab.presented()).toBe(1))
    const second = instance.get('/second')
    open()
    expect(await statuses([first, second])).toEqual([200, 200])
    expect(lab.seen.filter(({ path }) => path === '/second')).toHaveLength(1)

    const shut = lab.holdRefresh()
    lab.expire()
    lab.answerRefresh({ status: 503 })
    const failing = instance.get('/things').catch((error: unknown) => error)
    await vi.waitFor(() => expect(lab.presented()).toBe(2))
    const waiting = instance.get('/things').catch((error: unknown) => error)
    shut()
    expect(await failing).toMatchObject({ response: { status: 503 } })
    const refused = await waiting
    expect(refused).toMatchObject({ code: 'ERR_EVERGRANT_REFRESH' })
    expect(axios.isCancel(refused)).toBe(false)
  })

  test('a caller that has given up by then does not wait at all', async () => {
    const open = lab.holdRefresh()
    const instance = application()
    const caller = new AbortController()
    const shouldRefresh = (): boolean => {
      caller.abort()
      return true
    }
    ours(instance, refreshOn(axios), { shouldRefresh })
    await expect(instance.get('/things', { signal: caller.signal })).rejects.toMatchObject({ code: 'ERR_CANCELED' })
    open()
  })

  test('a refresh on the same instance that is refused itself fails, and waits for nobody', async () => {
    const instance = application()
    lab.answerRefresh({ status: 401, code: 'session_expired' })
    ours(instance, refreshOn(instance))
    expect(await five(instance)).toEqual([401, 401, 401, 401, 401])
    expect(calls).toBe(1)
    expect(lab.seen).toHaveLength(5)
  })

  test('onRetry is called once for each request, however many wait', async () => {
    const open = lab.holdRefresh()
    const instance = application()
    const onRetry = vi.fn((config) => config)
    ours(instance, refreshOn(axios), { onRetry })
    const sent = [instance.get('/things'), instance.get('/things')]
    await vi.waitFor(() => expect([lab.presented(), lab.seen.length]).toEqual([1, 2]))
    // The second refusal is on its way back: the held request is made when both are known.
    await new Promise((resolve) => setImmediate(resolve))
    const held = instance.get('/second')
    open()
    expect(await statuses([...sent, held])).toEqual([200, 200, 200])
    expect(onRetry.mock.calls.map(([{ url }]) => url).sort()).toEqual(['/second', '/things', '/things'])
  })

  test('a stream is refused instead of sent empty', async () => {
    const instance = application()
    ours(instance, refreshOn(axios))
    await expect(instance.post('/things', Readable.from(['some bytes']))).rejects.toMatchObject({ code: 'ERR_NOT_REPLAYABLE' })
    expect(lab.seen.map(({ body }) => body)).toEqual(['some bytes'])
  })

  test('requests without an interceptor get the token that the refresh function wrote into the first of them', async () => {
    const instance = axios.create({ baseURL: lab.url, headers: { Authorization: 'Bearer access-0' } })
    ours(instance, refreshOn(axios))
    expect(await five(instance)).toEqual([200, 200, 200, 200, 200])
  })

  test('a refresh function that gives no promise is told so', async () => {
    const instance = application()
    ours(instance, (() => undefined) as never)
    await expect(instance.get('/things')).rejects.toThrow('must return a promise')
    await expect(instance.get('/things')).rejects.toThrow('must return a promise')
  })
})
