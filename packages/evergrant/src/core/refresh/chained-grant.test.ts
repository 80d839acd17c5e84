import { expect, test } from 'vitest'
import { createEngineLab, type EngineLab, type LabOptions } from '../../testing/engine-lab.ts'
import { settle } from '../../testing/settle.ts'
import { statusOf } from '../connection/status.ts'
import { Fault } from '../fault/fault.ts'
import type { TokenEndpoint, WireOutcome } from '../provider/wire.ts'

const HOUR = 3_600_000
const MINUTE = 60_000

type Step = 'works' | 'lost' | { readonly status: number } | 'hangs'

/** The second request of a Bullhorn-like provider: a session for each first token, and an API address that comes with it. */
class Sessions {
  readonly asked: string[] = []
  steps: Step[] = []
  /** Lets a request that hangs go on. */
  release: () => void = () => {}

  beside(endpoint: TokenEndpoint, lab: () => EngineLab): TokenEndpoint {
    return {
      open: (url, options) =>
        url.startsWith('https://login.example/')
          ? Promise.resolve({ send: (request, deadlineMs) => this.#answer(request.url, deadlineMs, lab()), close: () => {} })
          : endpoint.open(url, options),
    }
  }

  async #answer(url: string, deadlineMs: number, lab: EngineLab): Promise<WireOutcome> {
    const first = new URL(url).searchParams.get('access_token') ?? ''
    this.asked.push(first)
    const step = this.steps.shift() ?? 'works'
    if (step === 'lost') {
      await lab.time.timers.sleep(deadlineMs)
      return { kind: 'no_answer', cause: 'timeout' }
    }
    if (step === 'hangs') {
      await new Promise<void>((resolve) => {
        this.release = resolve
      })
    }
    const text = JSON.stringify(
      typeof step === 'object' ? { errorMessage: 'no session' } : { BhRestToken: `session-of-${first}`, restUrl: `https://rest-${first}.example` },
    )
    const status = typeof step === 'object' ? step.status : 200
    return { kind: 'answered', answer: { status, headers: {}, body: new TextEncoder().encode(text), text } }
  }
}

async function bullhorn(options: LabOptions = {}): Promise<{ lab: EngineLab; sessions: Sessions }> {
  const sessions = new Sessions()
  let lab: EngineLab | undefined
  const here = () => {
    if (lab === undefined) throw new Error('no lab')
    return lab
  }
  lab = await createEngineLab({
    ...options,
    record: {
      ...options.record,
      chain: [
        {
          request: { url: 'https://login.example/login', headers: null, parameters: { access_token: '{access_token}' } },
          onRefresh: true,
          accessToken: 'BhRestToken',
          expiresIn: null,
          accessSeconds: 3_600,
          facts: { rest: 'restUrl' },
        },
      ],
    },
    ports: (ports) => ({ endpoint: sessions.beside(ports.endpoint, here), ...options.ports?.(ports) }),
  })
  return { lab, sessions }
}

async function statusNow(lab: EngineLab): Promise<string> {
  return statusOf(await lab.row(), { blocked: null }, lab.time.clock.wall())
}

const seal = async (lab: EngineLab) => (await lab.row()).credential

test('a renewal stores the refresh token first, then the session that the first access token opens, and only the session is served', async () => {
  const { lab, sessions } = await bullhorn()
  await lab.time.advance(HOUR)
  const answer = await settle(lab, lab.read())
  expect([answer.accessToken, answer.generation]).toEqual(['session-of-at-2', 3])
  expect((await lab.row()).connection.facts).toEqual({ rest: 'https://rest-at-2.example' })
  expect((await settle(lab, lab.read())).accessToken).toBe('session-of-at-2')
  await lab.time.advance(HOUR)
  expect((await settle(lab, lab.read())).accessToken).toBe('session-of-at-3')
  expect([lab.provider.presented, lab.provider.overlapped, sessions.asked]).toEqual([['rt-1', 'rt-2'], false, ['at-2', 'at-3']])
})

test.each([
  ['answers 500', [{ status: 500 }, { status: 500 }]],
  ['loses both requests', ['lost', 'lost']],
] as const)(
  'a chain that %s costs no refresh token: the old access token is served while it lives, and the chain alone is tried again',
  async (_how, steps) => {
    const { lab, sessions } = await bullhorn()
    await lab.time.advance(0.97 * HOUR)
    sessions.steps = [...steps]
    const reading = lab.read()
    reading.catch(() => {})
    await settle(lab, Promise.resolve())
    await lab.time.advance(40_000)
    expect((await reading).accessToken).toBe('at-1')
    const half = await lab.row()
    expect([half.credential.generation, half.health.failures, half.connection.fault?.code]).toEqual([2, 1, 'provider_unavailable'])
    expect([await statusNow(lab), half.connection.state]).toEqual(['active', 'active'])
    await lab.time.advance(MINUTE + 30_000)
    expect(await statusNow(lab)).toBe('degraded')
    for (let round = 0; round < 3; round += 1) await settle(lab, lab.engine.runDue())
    expect((await settle(lab, lab.read())).accessToken).toBe('session-of-at-2')
    expect([lab.provider.presented, sessions.asked]).toEqual([['rt-1'], ['at-2', 'at-2', 'at-2']])
    expect([await statusNow(lab), (await lab.row()).connection.fault]).toEqual(['active', null])
  },
)

test('a first token that opens nothing is given up, and the next renewal asks for another', async () => {
  const { lab, sessions } = await bullhorn()
  await lab.time.advance(HOUR)
  sessions.steps = [{ status: 401 }]
  const refused = await settle(lab, lab.read()).catch((error: unknown) => error)
  expect(refused instanceof Fault ? [refused.code, (await lab.row()).connection.fault?.evidence.httpStatus] : refused).toEqual(['provider_unavailable', 401])
  await lab.time.advance(MINUTE)
  expect((await settle(lab, lab.read())).accessToken).toBe('session-of-at-3')
  expect([lab.provider.presented, sessions.asked]).toEqual([
    ['rt-1', 'rt-2'],
    ['at-2', 'at-3'],
  ])
})

test('a chain that could not begin leaves its answer in the journal, and one that goes on later settles it', async () => {
  let asked = 0
  const { lab } = await bullhorn({
    ports: ({ directory }) => ({
      directory: {
        ...directory,
        // Once for the refresh; for its chain the issuer cannot be asked.
        resolve: (...of) => {
          asked += 1
          return asked === 2 ? Promise.reject(new Fault('provider_unavailable')) : directory.resolve(...of)
        },
      },
    }),
  })
  await lab.time.advance(HOUR)
  await expect(settle(lab, lab.read())).rejects.toMatchObject({ code: 'provider_unavailable' })
  expect([(await lab.row()).credential.generation, (await lab.journal.pending()).length]).toEqual([2, 1])
  await lab.time.advance(5_000)
  expect((await settle(lab, lab.read())).accessToken).toBe('session-of-at-2')
  expect([lab.provider.presented, await lab.journal.pending()]).toEqual([['rt-1'], []])
})

test('a process that dies between the two requests runs the chain again from the journaled answer, and spends nothing', async () => {
  const { lab, sessions } = await bullhorn()
  await lab.time.advance(HOUR)
  sessions.steps = ['hangs']
  lab.read().catch(() => {})
  await settle(lab, Promise.resolve())
  expect(sessions.asked).toEqual(['at-2'])
  expect((await seal(lab)).generation).toBe(2)
  expect(await lab.journal.pending()).toHaveLength(1)
  const restarted = lab.another({ node: { id: 'node-1', incarnation: 'second' } })
  expect(await restarted.recover()).toMatchObject({ replayed: 1 })
  const request = { organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: null }
  expect((await settle(lab, restarted.token(request))).accessToken).toBe('session-of-at-2')
  expect([lab.provider.presented, sessions.asked]).toEqual([['rt-1'], ['at-2', 'at-2']])
})

test('a process that dies before the database has the refresh token, too, finds it in the journal', async () => {
  let away = true
  const { lab, sessions } = await bullhorn({
    ports: ({ credentials }) => ({
      credentials: { ...credentials, commitGrant: (commit) => (away ? Promise.reject(new Error('away')) : credentials.commitGrant(commit)) },
    }),
  })
  await lab.time.advance(HOUR)
  lab.read().catch(() => {})
  await settle(lab, Promise.resolve())
  // Nothing is asked with a token whose sibling is not stored.
  expect([sessions.asked, (await seal(lab)).generation]).toEqual([[], 1])
  const restarted = lab.another({ node: { id: 'node-1', incarnation: 'second' }, credentials: lab.store.credentials })
  expect(await restarted.recover()).toMatchObject({ replayed: 1 })
  const request = { organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: null }
  expect((await settle(lab, restarted.token(request))).accessToken).toBe('session-of-at-2')
  expect([lab.provider.presented, lab.provider.familyAlive]).toEqual([['rt-1'], true])
  // The first process was only paused: what it commits now is known already, and it joins what the restart brought.
  away = false
  await lab.time.advance(MINUTE)
  expect((await settle(lab, lab.read())).accessToken).toBe('session-of-at-2')
  expect(lab.provider.presented).toEqual(['rt-1'])
})

test('without a journal the refresh token is in the database all the same, and a restart renews as usual', async () => {
  const { lab, sessions } = await bullhorn()
  lab.journal.broken = true
  await lab.time.advance(HOUR)
  sessions.steps = ['hangs']
  lab.read().catch(() => {})
  await settle(lab, Promise.resolve())
  const restarted = lab.another({ node: { id: 'node-1', incarnation: 'second' } })
  await restarted.recover()
  const request = { organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: null }
  expect((await settle(lab, restarted.token(request))).accessToken).toBe('session-of-at-3')
  expect([lab.provider.presented, lab.provider.familyAlive]).toEqual([['rt-1', 'rt-2'], true])
})

test('a chain that ends after somebody else presented the refresh token never overtakes their answer', async () => {
  const { lab, sessions } = await bullhorn()
  await lab.time.advance(HOUR)
  sessions.steps = ['hangs']
  const slow = lab.read()
  slow.catch(() => {})
  await settle(lab, Promise.resolve())
  const other = lab.another({ node: { id: 'node-2', incarnation: 'first' } })
  const request = { organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: null }
  // Their answer is on its way when the slow chain ends.
  lab.provider.steps.push({ kind: 'late', ms: 3_000 })
  const theirs = other.token(request)
  theirs.catch(() => {})
  await settle(lab, Promise.resolve())
  sessions.release()
  await settle(lab, Promise.resolve())
  expect((await seal(lab)).generation).toBe(2)
  await lab.time.advance(3_000)
  expect((await settle(lab, theirs)).accessToken).toBe('session-of-at-3')
  expect((await settle(lab, slow)).accessToken).toBe('session-of-at-3')
  expect([lab.provider.presented, lab.provider.familyAlive, (await lab.row()).connection.state]).toEqual([['rt-1', 'rt-2'], true, 'active'])
})

test('a disconnect while the chain runs wins', async () => {
  const { lab, sessions } = await bullhorn()
  await lab.time.advance(HOUR)
  sessions.steps = ['hangs']
  const reading = lab.read()
  reading.catch(() => {})
  await settle(lab, Promise.resolve())
  const at = lab.time.clock.wall()
  const event = {
    id: 'evt_x',
    organization: lab.organization,
    type: 'connection.disconnected',
    at,
    actor: { kind: 'system', id: null },
    subject: null,
    data: {},
  } as const
  await lab.store.connections.disconnect({
    organization: lab.organization,
    connection: lab.connection,
    at,
    event: { ...event, connection: lab.connection },
    revocation: null,
  })
  sessions.release()
  await expect(settle(lab, reading)).rejects.toMatchObject({ code: 'connection_disconnected' })
  expect((await lab.row()).credential.generation).toBe(2)
})

test('a server that is told to stop before the chain begins leaves it to the next, with the answer in the journal', async () => {
  let stop: () => void = () => {}
  const { lab, sessions } = await bullhorn({
    ports: ({ credentials }) => ({
      credentials: {
        ...credentials,
        commitGrant: (commit) => {
          stop()
          return credentials.commitGrant(commit)
        },
      },
    }),
  })
  await lab.time.advance(HOUR)
  let drained: ReturnType<EngineLab['engine']['drain']> | undefined
  stop = () => {
    drained = lab.engine.drain()
  }
  await expect(settle(lab, lab.read())).rejects.toMatchObject({ code: 'draining' })
  expect(await drained).toEqual({ finished: 1, onlyInJournal: 0 })
  expect([lab.provider.presented, sessions.asked, (await lab.journal.pending()).length]).toEqual([['rt-1'], [], 1])
  const next = lab.another({ node: { id: 'node-1', incarnation: 'second' }, credentials: lab.store.credentials })
  await next.recover()
  const request = { organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: null }
  expect((await settle(lab, next.token(request))).accessToken).toBe('session-of-at-2')
  expect([lab.provider.presented, (await lab.journal.pending()).length]).toEqual([['rt-1'], 0])
})

test('an address that comes with each session and changes is no other account', async () => {
  const { lab } = await bullhorn({ record: { account: [{ from: 'variable', name: 'rest' }] } })
  for (const session of ['session-of-at-2', 'session-of-at-3', 'session-of-at-4']) {
    await lab.time.advance(HOUR)
    expect((await settle(lab, lab.read())).accessToken).toBe(session)
  }
  expect((await lab.row()).connection).toMatchObject({ state: 'active', account: 'ada', facts: { rest: 'https://rest-at-4.example' } })
})
