import { describe, expect, test } from 'vitest'
import { defineProvider } from '../../providers/define.ts'
import { systemEntropy } from '../../system.ts'
import { createEngineLab, type EngineLab } from '../../testing/engine-lab.ts'
import { testSeal } from '../../testing/seal.ts'
import { settle } from '../../testing/settle.ts'
import { Fault } from '../fault/fault.ts'
import { newId } from '../ids.ts'
import { newCredential } from './new-credential.ts'

const HOUR = 3_600_000

async function faultOf(promise: Promise<unknown>): Promise<Fault> {
  const fault = await promise.then(
    () => null,
    (error: unknown) => error,
  )
  if (fault instanceof Fault) return fault
  throw new Error(`expected a fault, got ${String(fault)}`)
}

/** Starts something that waits on the clock: everything up to that wait has happened when this resolves. */
async function begun<Value>(lab: EngineLab, promise: Promise<Value>): Promise<{ readonly promise: Promise<Value> }> {
  promise.catch(() => {})
  await settle(lab, Promise.resolve())
  return { promise }
}

describe('reading', () => {
  test('a fresh token is served, from memory the second time', async () => {
    const lab = await createEngineLab()
    expect((await lab.read()).accessToken).toBe('at-1')
    expect(lab.engine.peek({ organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: null })?.accessToken).toBe('at-1')
    expect(lab.provider.presented).toEqual([])
  })

  test('a thousand concurrent reads of one expired connection cost one exchange, and all get the same generation', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(HOUR)
    const answers = await settle(lab, Promise.all(Array.from({ length: 1_000 }, () => lab.read())))
    expect(lab.provider.presented).toEqual(['rt-1'])
    expect(new Set(answers.map((answer) => `${answer.generation} ${answer.accessToken}`))).toEqual(new Set(['2 at-2']))
  })

  test('between soft and hard the old token is served at once and the new one a moment later', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(0.8 * HOUR)
    expect((await lab.read()).accessToken).toBe('at-1')
    await settle(lab, Promise.resolve())
    expect((await lab.read()).accessToken).toBe('at-2')
    expect(lab.provider.presented).toEqual(['rt-1'])
  })

  test('five reads of a ten-minute token refresh nothing (E13)', async () => {
    const lab = await createEngineLab({ lifetimeMs: 600_000 })
    for (let read = 0; read < 5; read += 1) expect((await lab.read()).accessToken).toBe('at-1')
    expect(lab.provider.presented).toEqual([])
  })

  test('a foreign organization does not find the connection', async () => {
    const lab = await createEngineLab()
    const foreign = { organization: newId('org', systemEntropy), connection: lab.connection, minTtlMs: 0, rejectedGeneration: null }
    expect((await faultOf(lab.engine.token(foreign))).code).toBe('not_found')
  })
})

describe('trouble at the provider', () => {
  test('a still valid token is served through 503, and renewal goes on once the provider is back (E1)', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(0.96 * HOUR)
    lab.provider.steps.push({ kind: 'answer', status: 503, body: 'busy' })
    expect((await settle(lab, lab.read())).accessToken).toBe('at-1')
    const row = await lab.row()
    expect(row.connection.state).toBe('active')
    expect(row.health.failures).toBe(1)
  })

  test('a revoked grant needs its owner, with the provider and the intent as evidence; nothing is deleted', async () => {
    const lab = await createEngineLab()
    lab.provider.familyAlive = false
    await lab.time.advance(HOUR)
    expect((await faultOf(settle(lab, lab.read()))).code).toBe('connection_revoked')
    const row = await lab.row()
    expect(row.connection.state).toBe('needs_reauth')
    expect(row.connection.fault).toMatchObject({ code: 'connection_revoked', evidence: { httpStatus: 400, providerCode: 'invalid_grant' } })
    expect(row.connection.fault?.evidence.intent).toMatch(/^itn_/)
    expect(row.credential.refreshToken).not.toBeNull()
  })

  test('429 is kept with its Retry-After, and is not the end of anything', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'answer', status: 429, body: '{}', headers: { 'retry-after': '120' } })
    const fault = await faultOf(settle(lab, lab.read()))
    expect(fault.code).toBe('provider_rate_limited')
    expect(fault.details.retryAt).toBeGreaterThanOrEqual(lab.time.clock.wall() + 119_000)
    expect((await faultOf(settle(lab, lab.read()))).code).toBe('provider_rate_limited')
    expect(lab.provider.presented).toHaveLength(1)
    await lab.time.advance(130_000)
    expect((await settle(lab, lab.read())).accessToken).toBe('at-2')
  })

  test('a refused client blocks the integration and changes no grant (E2)', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'answer', status: 401, body: '{"error":"invalid_client"}' })
    expect((await faultOf(settle(lab, lab.read()))).code).toBe('client_rejected')
    expect((await lab.store.integrations.load(lab.integration))?.blocked?.code).toBe('client_rejected')
    const row = await lab.row()
    expect(row.connection.state).toBe('active')
    expect(row.credential.suspicion).toBeNull()
    await lab.time.advance(10 * 60_000)
    expect((await settle(lab, lab.read())).accessToken).toBe('at-2')
    expect((await lab.store.integrations.load(lab.integration))?.blocked).toBeNull()
  })

  test('a connection that cannot be opened spends nothing and comes back by itself', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'unreachable' })
    expect((await faultOf(settle(lab, lab.read()))).code).toBe('provider_unavailable')
    const row = await lab.row()
    expect(row.credential.suspicion).toBeNull()
    expect(row.credential.intent).toBeNull()
    await lab.time.advance(3_000)
    expect((await settle(lab, lab.read())).accessToken).toBe('at-2')
  })

  test('a caller gets its answer after five seconds although the flight goes on (E5)', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'late', ms: 20_000 })
    const first = await begun(lab, faultOf(lab.read()))
    await lab.time.advance(5_000)
    expect((await first.promise).code).toBe('refresh_in_progress')
    const second = await begun(lab, faultOf(lab.read()))
    await lab.time.advance(5_000)
    expect((await second.promise).code).toBe('refresh_in_progress')
    await lab.time.advance(10_000)
    expect((await settle(lab, lab.read())).accessToken).toBe('at-2')
    expect(lab.provider.presented).toEqual(['rt-1'])
  })

  test('after five failures the endpoint is left alone, without charging other connections', async () => {
    const lab = await createEngineLab({ reuse: 'P0' })
    await lab.time.advance(HOUR)
    for (let failure = 0; failure < 5; failure += 1) {
      lab.provider.steps.push({ kind: 'unreachable' })
      await faultOf(settle(lab, lab.read()))
      await lab.time.advance(60_000)
    }
    expect(lab.engine.stats().openBreakers).toBeLessThanOrEqual(1)
    expect((await settle(lab, lab.read())).accessToken).toBe('at-1')
  })
})

describe('an answer that never came', () => {
  test('at P4 is not followed by a second presentation until the probe, and then the loss is told with the lost intent', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(0.8 * HOUR)
    lab.provider.steps.push({ kind: 'lost' })
    expect((await settle(lab, lab.read())).accessToken).toBe('at-1')
    await lab.time.advance(80_000)
    await settle(lab, Promise.resolve())
    const suspect = await lab.row()
    expect(suspect.credential.suspicion).toMatchObject({ answered: false })
    expect((await faultOf(settle(lab, lab.engine.refresh(lab.organization, lab.connection)))).code).toBe('outcome_unknown')
    expect(lab.provider.presented).toEqual(['rt-1'])
    await lab.time.advance(HOUR)
    expect((await faultOf(settle(lab, lab.read()))).code).toBe('refresh_outcome_lost')
    const row = await lab.row()
    expect(row.connection.state).toBe('needs_reauth')
    expect(row.connection.fault?.evidence.intent).toBe(suspect.credential.suspicion?.intent)
    expect(lab.provider.presented).toEqual(['rt-1', 'rt-1'])
  })

  test('at P4 costs nothing when the provider never acted: the probe renews the grant', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(0.8 * HOUR)
    lab.provider.steps.push({ kind: 'silent' })
    await begun(lab, lab.read())
    await lab.time.advance(80_000)
    await settle(lab, Promise.resolve())
    await lab.time.advance(HOUR)
    expect((await settle(lab, lab.read())).accessToken).toBe('at-2')
    expect((await lab.row()).credential.suspicion).toBeNull()
    expect(lab.provider.familyAlive).toBe(true)
  })

  test('at P1 is asked for again inside the window, and the grant lives', async () => {
    const lab = await createEngineLab({ reuse: 'P1' })
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'lost' })
    await begun(lab, lab.read())
    await lab.time.advance(10_000)
    await settle(lab, Promise.resolve())
    await lab.time.advance(5_000)
    expect((await settle(lab, lab.read())).accessToken).toBe('at-2')
    expect(lab.provider.familyAlive).toBe(true)
  })

  test('an unreadable 200 is kept as an answer, and the grant is only suspect', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'answer', status: 200, body: '<html>maintenance</html>' })
    expect((await faultOf(settle(lab, lab.read()))).definition.class).not.toBe('grant')
    expect((await lab.row()).connection.state).toBe('active')
    expect(await lab.store.credentials.unappliedAnswers(lab.organization, 10)).toHaveLength(1)
  })
})

describe('a store that is away', () => {
  const away = async (withoutStoreMs: number) => {
    const store = { down: false }
    const lab = await createEngineLab({
      ports: (ports) => ({
        changesFresh: () => !store.down,
        options: { ...ports.options, withoutStoreMs },
        credentials: {
          ...ports.credentials,
          read: (id) => (store.down ? Promise.reject(new Fault('store_unavailable')) : ports.credentials.read(id)),
        },
      }),
    })
    await lab.read()
    store.down = true
    return lab
  }

  test('does not withhold a token that is still valid, for a while', async () => {
    const lab = await away(60_000)
    await lab.time.advance(59_000)
    expect((await lab.read()).accessToken).toBe('at-1')
    await lab.time.advance(2_000)
    expect((await faultOf(lab.read())).code).toBe('store_unavailable')
  })

  test('is told as it is where nothing may be older than what others serve', async () => {
    const lab = await away(0)
    expect((await faultOf(lab.read())).code).toBe('store_unavailable')
  })
})

describe('races with people', () => {
  test('a reconnect that lands during a refresh wins (E8)', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'late', ms: 2_000 })
    const reading = lab.read()
    await settle(lab, Promise.resolve())
    const now = lab.time.clock.wall()
    const record = defineProvider({ id: 'scripted', name: 'S', authorize: { url: 'https://p.example/a' }, token: { url: 'https://p.example/t' } })
    const tokens = { accessToken: 'at-new', refreshToken: 'rt-new', tokenType: 'Bearer', accessExpiresAt: now + HOUR, refreshExpiresAt: null }
    const credential = newCredential(
      { organization: lab.organization, connection: lab.connection, generation: 2, tokens, obtainedAt: now, record, settings: { marginMs: null } },
      testSeal(),
      systemEntropy,
    )
    const replaced = await lab.store.connections.replaceGrant({
      organization: lab.organization,
      connection: lab.connection,
      expectedGeneration: 1,
      credential,
      account: 'ada',
      accountLabel: null,
      scopes: null,
      variables: {},
      facts: {},
      consentedAt: now,
      dueAt: credential.softAt,
      event: {
        id: newId('evt', systemEntropy),
        organization: lab.organization,
        type: 'connection.reconnected',
        at: now,
        actor: { kind: 'system', id: null },
        connection: lab.connection,
        subject: null,
        data: {},
      },
    })
    expect(replaced).toEqual({ kind: 'replaced', generation: 2 })
    await lab.time.advance(2_000)
    expect((await settle(lab, reading)).accessToken).toBe('at-new')
    expect((await settle(lab, lab.read())).accessToken).toBe('at-new')
  })

  test('a disconnect during a refresh wins, and the late answer is kept to be revoked', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'late', ms: 2_000 })
    const reading = faultOf(lab.read())
    await settle(lab, Promise.resolve())
    const event = {
      id: newId('evt', systemEntropy),
      organization: lab.organization,
      type: 'connection.disconnected' as const,
      at: 0,
      actor: { kind: 'system', id: null } as const,
      connection: lab.connection,
      subject: null,
      data: {},
    }
    await lab.store.connections.disconnect({ organization: lab.organization, connection: lab.connection, at: lab.time.clock.wall(), event, revocation: null })
    await lab.time.advance(2_000)
    expect((await settle(lab, reading)).code).toBe('connection_disconnected')
    expect((await lab.row()).connection.state).toBe('disconnected')
    expect(await lab.store.credentials.unappliedAnswers(lab.organization, 10)).toHaveLength(1)
  })

  test('another account in the answer is never applied', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'account', account: 'mallory' })
    expect((await faultOf(settle(lab, lab.read()))).code).toBe('account_mismatch')
    const row = await lab.row()
    expect(row.credential.generation).toBe(1)
    expect(row.connection).toMatchObject({ account: 'ada', state: 'needs_reauth', fault: { code: 'account_mismatch' } })
  })
})

describe('a rejected generation', () => {
  test('is refreshed once, however many callers saw the 401', async () => {
    const lab = await createEngineLab()
    await settle(lab, Promise.all(Array.from({ length: 100 }, () => lab.read(0, 1))))
    await settle(lab, Promise.all(Array.from({ length: 100 }, () => lab.read(0, 1))))
    expect(lab.provider.presented).toEqual(['rt-1'])
  })

  test('that is refused again at once does not refresh for ever', async () => {
    const lab = await createEngineLab()
    expect((await settle(lab, lab.read(0, 1))).generation).toBe(2)
    expect((await faultOf(settle(lab, lab.read(0, 2)))).code).toBe('upstream_token_refused')
    expect(lab.provider.presented).toEqual(['rt-1'])
  })
})

describe('durability', () => {
  test('a missing refresh token keeps the old one', async () => {
    const lab = await createEngineLab({ reuse: 'P0' })
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'no_refresh_token' })
    expect((await settle(lab, lab.read())).generation).toBe(2)
    await lab.time.advance(HOUR)
    await settle(lab, lab.read())
    expect(lab.provider.presented).toEqual(['rt-1', 'rt-1'])
  })

  test('a database that is away when the answer comes loses nothing: the journal lets the token be used, the commit follows (E6)', async () => {
    let away = true
    const lab = await createEngineLab({
      ports: (ports) => ({
        credentials: {
          ...ports.credentials,
          commitGrant: (commit) => (away ? Promise.reject(new Error('connection terminated')) : ports.credentials.commitGrant(commit)),
        },
      }),
    })
    await lab.time.advance(HOUR)
    const reading = await begun(lab, lab.read())
    await lab.time.advance(250)
    expect((await reading.promise).accessToken).toBe('at-2')
    expect((await lab.row()).credential.generation).toBe(1)
    expect(await lab.journal.pending()).toHaveLength(1)
    expect((await settle(lab, lab.read())).accessToken).toBe('at-2')
    away = false
    await lab.time.advance(10_000)
    await settle(lab, Promise.resolve())
    expect((await lab.row()).credential.generation).toBe(2)
    expect(await lab.journal.pending()).toHaveLength(0)
    expect(lab.provider.presented).toEqual(['rt-1'])
  })

  test('after a crash with the answer only in the journal, the next start applies it', async () => {
    const lab = await createEngineLab({
      ports: (ports) => ({ credentials: { ...ports.credentials, commitGrant: () => new Promise<never>(() => {}) } }),
    })
    await lab.time.advance(HOUR)
    await begun(lab, lab.read())
    const restarted = lab.another({ node: { id: 'node-1', incarnation: 'second' }, credentials: lab.store.credentials })
    expect(await restarted.recover()).toMatchObject({ replayed: 1 })
    const row = await lab.row()
    expect(row.credential).toMatchObject({ generation: 2, lease: null, intent: null, suspicion: null })
    const request = { organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: null }
    expect((await restarted.token(request)).accessToken).toBe('at-2')
    expect(await restarted.recover()).toMatchObject({ replayed: 0, reclaimed: 0 })
  })

  test('after a crash in mid-flight at P4 the orphaned intent is a suspicion, not a retry (E7)', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'late', ms: 10 ** 9 })
    void lab.read().catch(() => {})
    await settle(lab, Promise.resolve())
    const restarted = lab.another({ node: { id: 'node-1', incarnation: 'second' } })
    expect(await restarted.recover()).toMatchObject({ reclaimed: 1 })
    expect((await lab.row()).credential.suspicion).toMatchObject({ answered: false })
    const request = { organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: null }
    const fault = await faultOf(settle(lab, restarted.token(request)))
    expect(fault.code).toBe('outcome_unknown')
    expect(fault.details.retryAt).toBeGreaterThan(lab.time.clock.wall())
    expect(lab.provider.presented).toEqual(['rt-1'])
  })

  test('two nodes on one database present the refresh token once', async () => {
    const lab = await createEngineLab()
    const other = lab.another({ node: { id: 'node-2', incarnation: 'only' } })
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'late', ms: 1_000 })
    const request = { organization: lab.organization, connection: lab.connection, minTtlMs: 0, rejectedGeneration: null }
    const both = Promise.all([lab.read(), other.token(request)])
    await settle(lab, Promise.resolve())
    await lab.time.advance(1_500)
    const answers = await settle(lab, both)
    expect(answers.map((answer) => answer.accessToken)).toEqual(['at-2', 'at-2'])
    expect(lab.provider.presented).toEqual(['rt-1'])
    expect(lab.provider.overlapped).toBe(false)
  })

  test('draining starts nothing, lets flights land, and says whether anything is only in the journal', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(HOUR)
    lab.provider.steps.push({ kind: 'late', ms: 3_000 })
    const reading = lab.read()
    await settle(lab, Promise.resolve())
    const draining = lab.engine.drain()
    await lab.time.advance(3_000)
    expect((await settle(lab, reading)).accessToken).toBe('at-2')
    expect(await settle(lab, draining)).toEqual({ finished: 1, onlyInJournal: 0 })
    expect(await lab.engine.runDue()).toBe(0)
  })
})

describe('in the background', () => {
  test('what is due is renewed without anybody asking', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(0.8 * HOUR)
    expect(await lab.engine.runDue()).toBe(1)
    await settle(lab, Promise.resolve())
    const row = await lab.row()
    expect(row.credential.generation).toBe(2)
    expect(row.health.dueAt).toBe(row.credential.softAt)
    expect(await lab.engine.runDue()).toBe(0)
  })

  test('a grant that nobody reads is kept alive, not renewed every hour', async () => {
    const lab = await createEngineLab()
    await lab.time.advance(30 * HOUR)
    await lab.engine.runDue()
    await settle(lab, Promise.resolve())
    expect(lab.provider.presented).toEqual([])
    expect((await lab.row()).health.dueAt).toBeGreaterThan(lab.time.clock.wall())
    await lab.time.advance(30 * HOUR)
    await lab.engine.runDue()
    await settle(lab, Promise.resolve())
    expect(lab.provider.presented).toEqual(['rt-1'])
  })

  test('a full node waits for room instead of saying that nothing is due', async () => {
    const lab = await createEngineLab({ ports: (ports) => ({ options: { ...ports.options, backgroundFlights: 1 } }) })
    await lab.time.advance(0.8 * HOUR)
    lab.provider.steps.push({ kind: 'late', ms: 4_000 })
    expect(await lab.engine.runDue()).toBe(1)
    let answered: number | null = null
    const waiting = lab.engine.runDue().then((count) => {
      answered = count
    })
    await settle(lab, Promise.resolve())
    expect(answered).toBeNull()
    await lab.time.advance(4_000)
    await settle(lab, waiting)
    expect(answered).toBe(0)
  })
})
