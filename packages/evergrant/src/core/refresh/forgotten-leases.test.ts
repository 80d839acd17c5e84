import { expect, test } from 'vitest'
import { openVolatileStore, type Snapshot, type VolatileStore } from '../../store/memory/volatile-store.ts'
import { createEngineLab, type EngineLab, type LabOptions } from '../../testing/engine-lab.ts'
import { settle } from '../../testing/settle.ts'
import { Fault } from '../fault/fault.ts'
import { SealError } from '../seal/seal.ts'
import type { Refusal } from './liveness.ts'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const STRICT_LEASE_MS = 10 * MINUTE

/** Two looks of the chore. */
async function twoLooks(lab: EngineLab): Promise<readonly number[]> {
  const first = await settle(lab, lab.engine.freeForgotten())
  await lab.time.advance(MINUTE)
  return [first, await settle(lab, lab.engine.freeForgotten())]
}

/** A claim in the name of this node, as a database that went back has it: nothing in this process knows of it. */
async function labWithForgotten(incarnation = 'first', options: LabOptions = {}): Promise<EngineLab> {
  const lab = await createEngineLab({ reuse: 'P4', ...options })
  const node = { id: 'node-1', incarnation }
  const claim = await lab.store.credentials.claim({
    connection: lab.connection,
    generation: 1,
    epoch: 0,
    node,
    intent: 'itn_forgotten',
    leaseMs: STRICT_LEASE_MS,
  })
  expect(claim.kind).toBe('claimed')
  return lab
}

test('a lease of this node that is over and that nothing works under becomes a suspicion at the second look, and the connection is due', async () => {
  const lab = await labWithForgotten()
  const at = (await lab.row()).credential.intent?.at
  await lab.time.advance(STRICT_LEASE_MS + 1)
  expect(await twoLooks(lab)).toEqual([0, 1])
  const { credential, health } = await lab.row()
  expect(credential).toMatchObject({ lease: null, intent: null, suspicion: { intent: 'itn_forgotten', at, answered: false } })
  expect(health.dueAt).toBe(lab.time.clock.wall())
  expect(await twoLooks(lab)).toEqual([0, 0])
})

test('a lease of this life is left alone until it is over, one of an earlier life is not waited for', async () => {
  const lab = await labWithForgotten()
  expect(await twoLooks(lab)).toEqual([0, 0])
  expect((await lab.row()).credential.lease?.owner).toBe('node-1')
  const earlier = await labWithForgotten('before')
  expect(await twoLooks(earlier)).toEqual([0, 1])
})

test('the lease of a connection that is paused meanwhile is freed too, and nothing is due', async () => {
  const lab = await labWithForgotten()
  const actor = { kind: 'system', id: null } as const
  const event = {
    id: 'evt_paused',
    organization: lab.organization,
    type: 'connection.paused',
    at: 0,
    actor,
    connection: lab.connection,
    subject: null,
    data: {},
  } as const
  await lab.store.connections.setPaused(lab.organization, lab.connection, true, null, event)
  await lab.time.advance(STRICT_LEASE_MS + 1)
  expect(await twoLooks(lab)).toEqual([0, 1])
  const { credential, health } = await lab.row()
  expect([credential.lease, credential.suspicion?.intent, health.dueAt]).toEqual([null, 'itn_forgotten', null])
})

test.each(['commitGrant', 'commitFailure'] as const)('a flight whose %s the database does not take for an hour keeps its lease', async (commit) => {
  let away = true
  const lab = await createEngineLab({
    reuse: 'P4',
    ports: ({ credentials }) => ({
      credentials: { ...credentials, [commit]: (write: never) => (away ? Promise.reject(new Fault('store_unavailable')) : credentials[commit](write)) },
    }),
  })
  if (commit === 'commitFailure') lab.provider.steps.push({ kind: 'answer', status: 429, body: '{}' })
  lab.engine.refresh(lab.organization, lab.connection).catch(() => {})
  await settle(lab, Promise.resolve())
  await lab.time.advance(60 * MINUTE)
  expect(await twoLooks(lab)).toEqual([0, 0])
  expect((await lab.row()).credential).toMatchObject({ generation: 1, lease: { owner: 'node-1' }, suspicion: null })
  away = false
  await lab.time.advance(MINUTE)
  expect((await lab.row()).credential).toMatchObject({ generation: commit === 'commitGrant' ? 2 : 1, lease: null, suspicion: null })
})

test('a probe on purpose keeps its lease, however long it lasts', async () => {
  const lab = await createEngineLab({ reuse: 'P4' })
  let goOn = () => {}
  const probe = lab.engine.learnReuse({
    organization: lab.organization,
    connection: lab.connection,
    limits: { forSeconds: 60, patienceSeconds: 10 },
    pause: () =>
      new Promise((_resolve, reject) => {
        goOn = () => reject(new Fault('conflict'))
      }),
    resume: () => Promise.resolve(),
    use: () => Promise.resolve(null),
  })
  probe.catch(() => {})
  await settle(lab, Promise.resolve())
  await lab.time.advance(60 * MINUTE)
  expect(await twoLooks(lab)).toEqual([0, 0])
  const { lease, suspicion } = (await lab.row()).credential
  expect([lease?.owner, suspicion, (lease?.until ?? 0) < lab.time.clock.wall()]).toEqual(['node-1', null, true])
  goOn()
  await expect(settle(lab, probe)).rejects.toMatchObject({ code: 'conflict' })
  expect((await lab.row()).credential.lease).toBeNull()
})

/** Renews, and takes the database back to the moment after the claim. */
async function wentBack(options: LabOptions = {}): Promise<EngineLab> {
  let store: VolatileStore | undefined
  let claimed: Snapshot | undefined
  const lab = await createEngineLab({
    reuse: 'P4',
    ...options,
    store: (time) => {
      store = openVolatileStore(time)
      return Promise.resolve(store)
    },
    ports: (ports) => ({
      ...options.ports?.(ports),
      credentials: {
        ...ports.credentials,
        claim: async (request) => {
          const outcome = await ports.credentials.claim(request)
          claimed = store?.snapshot()
          return outcome
        },
      },
    }),
  })
  expect((await settle(lab, lab.engine.refresh(lab.organization, lab.connection))).generation).toBe(2)
  if (claimed === undefined) throw new Error('nothing was claimed')
  store?.restore(claimed)
  await lab.time.advance(STRICT_LEASE_MS + 1)
  return lab
}

test('an answer that the journal has to that very presentation is stored instead, and nothing is presented twice', async () => {
  const lab = await wentBack()
  expect((await lab.row()).credential).toMatchObject({ generation: 1, lease: { owner: 'node-1' } })
  expect(await twoLooks(lab)).toEqual([0, 1])
  expect((await lab.row()).credential).toMatchObject({ generation: 2, lease: null, suspicion: null })
  expect(lab.provider.presented).toEqual(['rt-1'])
})

test('as long as that answer cannot be stored the lease stays; once it can, the answer comes first', async () => {
  let keyIsGone = false
  const lab = await wentBack({
    ports: ({ seal }) => ({
      seal: {
        ...seal,
        openText: (sealed, context) => {
          if (keyIsGone) throw new SealError('seal_key_missing', 'the key k1 is missing')
          return seal.openText(sealed, context)
        },
      },
    }),
  })
  keyIsGone = true
  expect(await twoLooks(lab)).toEqual([0, 0])
  expect((await lab.row()).credential).toMatchObject({ generation: 1, lease: { owner: 'node-1' }, suspicion: null })
  keyIsGone = false
  expect(await settle(lab, lab.engine.freeForgotten())).toBe(1)
  expect((await lab.row()).credential).toMatchObject({ generation: 2, lease: null, suspicion: null })
})

test('a flight that began after the look is fenced by its epoch', async () => {
  const begun: string[] = []
  const lab = await labWithForgotten('first', {
    ports: ({ credentials }) => ({
      credentials: {
        ...credentials,
        reclaimForgotten: async (connection, node, epoch) => {
          const claim = await credentials.claim({ connection, generation: 1, epoch, node, intent: 'itn_begun', leaseMs: STRICT_LEASE_MS })
          begun.push(claim.kind)
          return credentials.reclaimForgotten(connection, node, epoch)
        },
      },
    }),
  })
  await lab.time.advance(STRICT_LEASE_MS + 1)
  expect(await twoLooks(lab)).toEqual([0, 0])
  expect(begun).toEqual(['claimed'])
  expect((await lab.row()).credential.intent?.id).toBe('itn_begun')
})

test('a node that others may take for dead, or that drains, looks for nothing', async () => {
  let refusal: Refusal | null = { code: 'store_unavailable', detail: 'out of sight' }
  const lab = await labWithForgotten('first', { ports: () => ({ liveness: { refusal: () => refusal, term: () => 0, sawDatabaseTime: () => {} } }) })
  await lab.time.advance(STRICT_LEASE_MS + 1)
  expect(await twoLooks(lab)).toEqual([0, 0])
  refusal = null
  expect(await twoLooks(lab)).toEqual([0, 1])
  const drained = await labWithForgotten()
  await drained.time.advance(STRICT_LEASE_MS + 1)
  await settle(drained, drained.engine.drain(0))
  expect(await twoLooks(drained)).toEqual([0, 0])
})
