import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TokenEndpoint } from '../core/provider/wire.ts'
import { createAddressGuard } from '../outbound/address-guard.ts'
import { createTokenEndpoint } from '../outbound/token-endpoint.ts'
import { type PracticeProvider, startPracticeProvider } from '../practice/provider.ts'
import { systemTimers } from '../system.ts'
import { type ApiLab, createApiLab } from '../testing/api-lab.ts'

let practice: PracticeProvider

beforeAll(async () => {
  const profiles = {
    'p0-omit': { reuse: 'P0', rotation: 'omit' },
    'p1-minute': { reuse: 'P1', windowSeconds: 60 },
    'p3-ends': { reuse: 'P3', refreshEndsAccessToken: true },
    'p3-idle': { reuse: 'P3', noopAboveSeconds: 1_800 },
  } as const
  practice = await startPracticeProvider({ profiles })
})
afterAll(() => practice.close())

interface Probed {
  readonly lab: ApiLab
  readonly connection: string
  readonly first: { readonly accessToken: string; readonly refreshToken: string }
  probe(body?: object): ReturnType<ApiLab['call']>
  read(): ReturnType<ApiLab['call']>
  status(): Promise<string>
  /** Refresh tokens that were presented. */
  spent(): readonly string[]
}

interface World {
  readonly tags?: readonly string[]
  readonly account?: string | null
  readonly reuse?: { readonly neverProbe?: boolean; readonly evidence: string }
  readonly onWait?: () => Promise<void> | void
}

/** A server whose provider is the practice provider; waiting moves the clocks of both. */
async function serverAt(
  profile: string,
  { tags = ['throwaway'], account = null, reuse = { evidence: 'not known yet' }, onWait = () => {} }: World = {},
): Promise<Probed> {
  const spent = new Set<string>()
  const guard = createAddressGuard({ allowPrivateHosts: [], development: true })
  const at = `${practice.url}/${profile}`
  const real = createTokenEndpoint({ guard, timers: systemTimers })
  const endpoint: TokenEndpoint = {
    open: async (url, options) => {
      const line = await real.open(url, options)
      return {
        ...line,
        close: () => line.close(),
        send: (request, deadlineMs) => {
          spent.add(new URLSearchParams(request.body ?? '').get('refresh_token') ?? '')
          return line.send(request, deadlineMs)
        },
      }
    },
  }
  const lab = await createApiLab({
    endpoint,
    record: {
      token: { url: `${at}/token`, clientAuth: 'basic' },
      api: { base: at },
      check: { request: { url: `${at}/userinfo` } },
      reuse,
      account: [],
    },
    ports: ({ timers }) => ({
      timers: {
        ...timers,
        sleep: async (ms) => {
          await onWait()
          practice.control.advanceClock(ms)
          await lab.time.advance(ms)
        },
      },
    }),
  })
  const first = practice.control.issueGrant({ profile })
  const made = await lab.call('POST', '/api/v1/integrations', {
    body: { slug: 'practised', name: 'Practised', provider: 'scripted', client_id: 'practice', client_secret: 'practice-secret', scopes: [] },
  })
  if (made.status !== 201) throw new Error(made.text)
  const imported = await lab.call('POST', '/api/v1/connections', {
    body: {
      integration: 'practised',
      owner: 'tester',
      ...(account === null ? {} : { account }),
      tags,
      access_token: first.accessToken,
      refresh_token: first.refreshToken,
      expires_at: '2026-01-01T01:00:00Z',
    },
  })
  if (imported.status !== 201) throw new Error(imported.text)
  const connection: string = imported.json.id
  return {
    lab,
    connection,
    first,
    probe: (body = {}) => lab.call('POST', `/api/v1/connections/${connection}/probe`, { body }),
    read: () => lab.call('GET', `/api/v1/connections/${connection}/token`),
    spent: () => [...spent],
    status: async () => (await lab.call('GET', `/api/v1/connections/${connection}`)).json.status,
  }
}

test.each([
  ['p0', { class: 'P0', window_seconds: 0, rotation: 'never', reuse_ends_grant: false }, 'active'],
  ['p0-omit', { class: 'P0', window_seconds: 0, rotation: 'never', reuse_ends_grant: false }, 'active'],
  ['p1', { class: 'P1', window_seconds: 5, rotation: 'always', reuse_ends_grant: true }, 'needs_reauth'],
  ['p1-minute', { class: 'P1', window_seconds: 60, rotation: 'always', reuse_ends_grant: null }, 'active'],
  ['p2', { class: 'P2', window_seconds: 0, rotation: 'always', reuse_ends_grant: true }, 'needs_reauth'],
  ['p3', { class: 'P3', window_seconds: 0, rotation: 'always', reuse_ends_grant: false, refresh_ends_access_token: false }, 'active'],
  ['p3-ends', { class: 'P3', window_seconds: 0, rotation: 'always', reuse_ends_grant: false, refresh_ends_access_token: true }, 'active'],
  ['p4', { class: 'P4', window_seconds: 0, rotation: 'always', reuse_ends_grant: true }, 'needs_reauth'],
])('a provider of profile %s is found out on a connection, which is %j and then %s', async (profile, found, status) => {
  const server = await serverAt(profile)
  const { status: code, json, text } = await server.probe({ window_seconds: profile === 'p1-minute' ? 50 : 60 })
  expect([code, code === 200 ? '' : text]).toEqual([200, ''])
  expect(json).toMatchObject({ ...found, ...(profile === 'p1-minute' ? { window_seconds: 50 } : {}), needs_reauth: status === 'needs_reauth' })
  expect(await server.status()).toBe(status)
  for (const secret of [...server.spent(), server.first.accessToken]) expect(text).not.toContain(secret)
})

test('the newest refresh token is what the connection goes on with', async () => {
  const { probe, read, lab, connection } = await serverAt('p3')
  await probe()
  const { access_token: accessToken } = (await read()).json
  expect((await fetch(`${practice.url}/p3/userinfo`, { headers: { authorization: `Bearer ${accessToken}` } })).status).toBe(200)
  expect((await lab.call('POST', `/api/v1/connections/${connection}/refresh`, { body: {} })).status).toBe(200)
})

test('nobody reads, refreshes or probes the connection meanwhile', async () => {
  const seen: unknown[] = []
  let asked = false
  const server: Probed = await serverAt('p1', {
    onWait: async () => {
      if (asked) return
      asked = true
      const codes = [await server.read(), await server.lab.call('POST', `/api/v1/connections/${server.connection}/refresh`, { body: {} }), await server.probe()]
      seen.push(...codes.map(({ status }) => status), await server.status())
    },
  })
  expect((await server.probe()).json.class).toBe('P1')
  expect(seen).toEqual([409, 409, 409, 'paused'])
})

test('without the tag, or the word of the operator, nothing is sent', async () => {
  const { probe, spent, status } = await serverAt('p3', { tags: ['beloved'] })
  const refused = await probe()
  expect([refused.status, refused.json.code, refused.json.detail.includes('`throwaway`')]).toEqual([409, 'conflict', true])
  expect([spent(), await status()]).toEqual([[], 'active'])
  expect((await probe({ may_lose: true })).json.class).toBe('P3')
})

test('a tag speaks for its own connection alone: where more may end, the operator has to say so', async () => {
  const { probe, spent, lab } = await serverAt('p3', { account: 'shared' })
  const grant = { integration: 'practised', owner: 'customer', account: 'shared', access_token: 'at', refresh_token: 'rt', expires_at: '2026-01-01T01:00:00Z' }
  const other = await lab.call('POST', '/api/v1/connections', { body: grant })
  expect([(await probe()).status, (await probe()).json.detail.includes(other.json.id)]).toEqual([409, true])
  await lab.call('POST', `/api/v1/connections/${other.json.id}/disconnect`)
  expect((await probe()).json.class).toBe('P3')

  const careful = await serverAt('p3', { reuse: { neverProbe: true, evidence: 'other grants end' } })
  expect((await careful.probe()).json.detail).toContain('so its record forbids it')
  expect(careful.spent()).toEqual([])
  expect(spent().length).toBeGreaterThan(0)
})

test('a refusal of the first refresh teaches nothing, and is what it says', async () => {
  const { probe, first, status } = await serverAt('p4')
  practice.control.revoke(practice.control.grants({}).at(-1)?.id ?? '')
  expect(first.refreshToken).not.toBe('')
  expect((await probe()).json).toMatchObject({ class: null, needs_reauth: true })
  expect(await status()).toBe('needs_reauth')
})

test('trouble on the way teaches nothing and costs nothing: what came last is stored', async () => {
  const { probe, status, lab, connection } = await serverAt('p1', {
    onWait: () => void practice.control.addFault({ kind: 'status', status: 503, step: 'token.refresh', profile: 'p1' }),
  })
  expect((await probe()).json).toMatchObject({ class: null, needs_reauth: false })
  expect(await status()).toBe('active')
  expect((await lab.call('GET', `/api/v1/connections/${connection}`)).json.generation).toBe(2)
})

test('a server that stops does not wait for a window: the probe ends, and what came last is stored', async () => {
  const server: Probed = await serverAt('p1', { onWait: () => void server.lab.engine.drain() })
  expect((await server.probe()).json.code).toBe('draining')
  expect(await server.status()).toBe('active')
  expect((await server.lab.call('GET', `/api/v1/connections/${server.connection}`)).json.generation).toBe(2)
})

test('a server that dies during a probe leaves a paused connection, and the newest answer in the journal', async () => {
  const dying = { now: false }
  const server: Probed = await serverAt('p2', { onWait: () => (dying.now ? new Promise<void>(() => {}) : undefined) })
  dying.now = true
  void server.probe()
  await expect.poll(() => server.lab.journal.records.length).toBe(2)
  await expect.poll(() => server.status()).toBe('paused')
  const next = server.lab.another({ node: { id: 'node-1', incarnation: 'second' } })
  expect(await next.recover()).toMatchObject({ replayed: 1 })
  expect((await server.lab.call('POST', `/api/v1/connections/${server.connection}/resume`)).json.status).toBe('active')
  expect(await next.refresh(server.lab.organization, server.connection as `con_${string}`)).toMatchObject({ generation: 3 })
})

test('a connection that is not active is refused by name', async () => {
  const { probe, lab, connection } = await serverAt('p3')
  await lab.call('POST', `/api/v1/connections/${connection}/pause`)
  expect([(await probe()).status, (await probe()).json.detail]).toEqual([409, 'A probe needs an active connection whose last refresh has a known outcome.'])
})
