import { expect, test } from 'vitest'
import { setDueAt } from '../../testing/due-time.ts'
import { createEngineLab, type EngineLab } from '../../testing/engine-lab.ts'
import type { ClaimOutcome } from './credentials.ts'

const HOUR = 3_600_000

async function turns(lab: EngineLab): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await lab.time.advance(0)
}

function gate(): { readonly passed: Promise<void>; open(): void } {
  let open = () => {}
  const passed = new Promise<void>((resolve) => {
    open = resolve
  })
  return { passed, open: () => open() }
}

test('a caller who joins a background flight waits for another holder as if it were their own', async () => {
  const busy = gate()
  const outcomes: ClaimOutcome[] = []
  const lab = await createEngineLab({
    settings: { renewal: 'ahead' },
    ports: ({ credentials, clock }) => ({
      credentials: {
        ...credentials,
        claim: async (request) => {
          if (outcomes.length > 0) return credentials.claim(request)
          await busy.passed
          const held: ClaimOutcome = { kind: 'held', until: clock.wall() + 10_000 }
          outcomes.push(held)
          return held
        },
      },
    }),
  })
  await lab.time.advance(HOUR)
  await lab.engine.runDue()
  await turns(lab)
  const read = lab.read()
  let settled = false
  void read.finally(() => {
    settled = true
  })
  busy.open()
  await turns(lab)
  expect([outcomes.length, settled]).toEqual([1, false])
  await lab.time.advance(300)
  await turns(lab)
  expect((await read).generation).toBe(2)
  expect(lab.provider.presented).toEqual(['rt-1'])
})

test.each(['held', 'moved'] as const)('what another node renewed while this one found it %s is not renewed again because it was due', async (how) => {
  const busy = gate()
  let claims = 0
  const lab = await createEngineLab({
    settings: { renewal: 'ahead' },
    ports: ({ credentials, clock }) => ({
      credentials: {
        ...credentials,
        claim: async (request) => {
          if (request.node.id !== 'node-1') return credentials.claim(request)
          claims += 1
          if (claims > 1) return credentials.claim(request)
          await busy.passed
          return how === 'held' ? { kind: 'held', until: clock.wall() + 10_000 } : credentials.claim(request)
        },
      },
    }),
  })
  await lab.time.advance(HOUR)
  await lab.engine.runDue()
  await turns(lab)
  const read = lab.read()
  const other = lab.another({ node: { id: 'node-2', incarnation: 'x' } })
  expect(await other.refresh(lab.organization, lab.connection)).toMatchObject({ generation: 2 })
  busy.open()
  await turns(lab)
  await lab.time.advance(300)
  await turns(lab)
  expect((await read).generation).toBe(2)
  expect(lab.provider.presented).toEqual(['rt-1'])
})

test('a background flight gives way at once when another holds the lease, and a caller who comes then has a flight of their own', async () => {
  const lab = await createEngineLab({ settings: { renewal: 'ahead' } })
  await lab.time.advance(HOUR)
  const node = { id: 'node-2', incarnation: 'x' }
  await lab.store.credentials.claim({ connection: lab.connection, generation: 1, epoch: 0, node, intent: 'itn_other', leaseMs: 60_000 })
  await setDueAt(lab.store, lab.connection, lab.time.clock.wall())
  await lab.engine.runDue()
  await turns(lab)
  expect(lab.engine.stats().flights).toBe(0)
  const read = lab.read()
  const refused = expect(read).rejects.toMatchObject({ code: 'refresh_in_progress' })
  await turns(lab)
  expect(lab.engine.stats().flights).toBe(1)
  await lab.time.advance(5_000)
  await refused
})

test('a drain with a lost store ends as soon as the journal has every answer, and not before', async () => {
  const lab = await createEngineLab({
    ports: ({ credentials }) => ({ credentials: { ...credentials, commitGrant: () => Promise.reject(new Error('disk gone')) } }),
  })
  lab.provider.steps.push({ kind: 'late', ms: 20_000 })
  void lab.engine.refresh(lab.organization, lab.connection).catch(() => {})
  await turns(lab)
  let drained = false
  const drain = lab.engine.drain(80_000, 'kept').then((report) => {
    drained = true
    return report
  })
  await lab.time.advance(19_000)
  expect(drained).toBe(false)
  await lab.time.advance(2_000)
  await turns(lab)
  expect(drained).toBe(true)
  expect(await drain).toEqual({ finished: 1, onlyInJournal: 1 })
  expect(lab.journal.records).toHaveLength(1)
})

test('a caller waits for a node that was cut off and is seen alive again in a moment, but no longer than callers wait', async () => {
  let cut = true
  const lab = await createEngineLab({
    ports: () => ({
      liveness: { refusal: () => (cut ? { code: 'store_unavailable', detail: 'the lock is lost' } : null), term: () => 0, sawDatabaseTime: () => {} },
    }),
  })
  await lab.time.advance(HOUR)
  const inTime = lab.read()
  await lab.time.advance(2_000)
  cut = false
  await lab.time.advance(300)
  await turns(lab)
  expect((await inTime).generation).toBe(2)
  cut = true
  await lab.time.advance(HOUR)
  const tooLate = expect(lab.read()).rejects.toMatchObject({ code: expect.stringMatching(/^(store_unavailable|refresh_in_progress)$/) })
  await lab.time.advance(5_000)
  await turns(lab)
  await tooLate
  expect([lab.engine.stats().flights, lab.provider.presented]).toEqual([0, ['rt-1']])
})

test('nobody looks for the end of a lease for whom nobody waits any more', async () => {
  let looks = 0
  const lab = await createEngineLab({
    ports: ({ credentials, clock }) => ({
      credentials: {
        ...credentials,
        read: (connection) => {
          looks += 1
          return credentials.read(connection)
        },
        claim: () => Promise.resolve({ kind: 'held', until: clock.wall() + HOUR }),
      },
    }),
  })
  await lab.time.advance(HOUR)
  const read = lab.read().catch((error: unknown) => error)
  for (let quarter = 0; quarter < 40; quarter += 1) {
    await lab.time.advance(250)
    await turns(lab)
  }
  expect(await read).toMatchObject({ code: 'refresh_in_progress' })
  expect(looks).toBeLessThan(25)
  expect(lab.engine.stats().flights).toBe(0)
})

test('a drain does not wait for read marks that a hanging database does not take', async () => {
  const lab = await createEngineLab({ ports: ({ credentials }) => ({ credentials: { ...credentials, markReads: () => new Promise<void>(() => {}) } }) })
  await lab.read()
  const drained = lab.engine.drain(10_000)
  await turns(lab)
  await lab.time.advance(10_000)
  await turns(lab)
  expect(await drained).toEqual({ finished: 0, onlyInJournal: 0 })
})

test('a connection that is gone when its flight looks for it is not found, and nothing is presented', async () => {
  const lab = await createEngineLab({ ports: ({ credentials }) => ({ credentials: { ...credentials, read: async () => undefined } }) })
  await expect(lab.engine.refresh(lab.organization, lab.connection)).rejects.toMatchObject({ code: 'not_found' })
  expect(lab.provider.presented).toEqual([])
})

test('a connection that changes faster than it can be read is told as busy, and nothing is presented', async () => {
  let claims = 0
  const lab = await createEngineLab({
    ports: ({ credentials }) => ({
      credentials: {
        ...credentials,
        claim: async () => {
          claims += 1
          return { kind: 'moved', generation: 2 } as const
        },
      },
    }),
  })
  await expect(lab.engine.refresh(lab.organization, lab.connection)).rejects.toMatchObject({ code: 'refresh_in_progress' })
  expect(claims).toBeGreaterThan(1)
  expect(lab.provider.presented).toEqual([])
})

test('a drain waits no longer than it was told to', async () => {
  const lab = await createEngineLab()
  lab.provider.steps.push({ kind: 'late', ms: 60_000 })
  void lab.engine.refresh(lab.organization, lab.connection).catch(() => {})
  await turns(lab)
  let drained = false
  const drain = lab.engine.drain(1_000).then(() => {
    drained = true
  })
  await lab.time.advance(999)
  expect(drained).toBe(false)
  await lab.time.advance(1)
  await turns(lab)
  expect(drained).toBe(true)
  await drain
})

test('a connection that is erased between the request and its refresh is not found', async () => {
  let reads = 0
  const lab = await createEngineLab({
    ports: ({ credentials }) => ({
      credentials: {
        ...credentials,
        read: async (connection) => {
          reads += 1
          return reads > 1 ? undefined : credentials.read(connection)
        },
      },
    }),
  })
  reads = 0
  await expect(lab.engine.refresh(lab.organization, lab.connection)).rejects.toMatchObject({ code: 'not_found' })
  expect([reads, lab.provider.presented]).toEqual([2, []])
})
