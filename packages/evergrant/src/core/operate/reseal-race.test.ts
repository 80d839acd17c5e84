import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createEngineLab, type EngineLab } from '../../testing/engine-lab.ts'
import { liveTestSeal } from '../../testing/seal.ts'
import { newId } from '../ids.ts'
import type { EnginePorts } from '../refresh/engine-ports.ts'
import { Secret } from '../seal/secret.ts'
import { KeyCensusTaker } from './key-census.ts'
import { KeysService } from './keys-service.ts'
import { sealedBy } from './operations.ts'

const quiet = { info: () => {}, warn: () => {}, error: () => {} }
const NEW = { id: 'k2', key: new Secret(new Uint8Array(systemEntropy.bytes(32))) }

/** Seals everything anew, to its end. */
async function resealAll(lab: Pick<EngineLab, 'store' | 'organization' | 'time'>, parts: ReturnType<typeof liveTestSeal>): Promise<void> {
  parts.ring.use('k2')
  const { store, time } = lab
  const service = new KeysService({
    ...parts,
    // The order of the ring says which key shall seal.
    ring: { ids: () => ['k2', 'test'], seals: () => parts.ring.seals(), use: (id) => parts.ring.use(id) },
    reseals: store.reseals,
    census: new KeyCensusTaker({ operations: store.operations, clock: time.clock }),
    watch: { look: async () => [], lacking: () => [] },
    node: { id: 'node-1' },
    file: null,
    clock: time.clock,
    timers: { sleep: async () => {} },
    entropy: systemEntropy,
    log: quiet,
  })
  let reseal = await service.reseal(lab.organization, { kind: 'cli', id: null })
  while (reseal.finishedAt === null) reseal = (await service.work().then(() => service.progress())) ?? reseal
}

const keysOf = async (lab: EngineLab) => {
  const { accessToken, refreshToken } = (await lab.row()).credential
  return [accessToken, refreshToken].map((sealed) => (sealed === null ? null : sealedBy(sealed)))
}

/** At which moment of a refresh everything is sealed anew. */
const MOMENTS = ['after the claim, before the token is presented', 'after the answer, before it is stored', 'after it is stored'] as const

test.each(MOMENTS)('sealing anew in the middle of a refresh, %s: one request, the newest token stays, and it opens (S78)', async (moment) => {
  const parts = liveTestSeal('test', NEW)
  let lab: EngineLab | undefined
  const meanwhile = async (when: string) => {
    if (when === moment && lab !== undefined) await resealAll(lab, parts)
  }
  const ports = ({ credentials }: EnginePorts): Partial<EnginePorts> => ({
    seal: parts.seal,
    credentials: {
      ...credentials,
      claim: async (request) => {
        const outcome = await credentials.claim(request)
        await meanwhile(MOMENTS[0])
        return outcome
      },
      commitGrant: async (commit) => {
        await meanwhile(MOMENTS[1])
        const outcome = await credentials.commitGrant(commit)
        await meanwhile(MOMENTS[2])
        return outcome
      },
    },
  })
  lab = await createEngineLab({ ports })
  await lab.engine.refresh(lab.organization, lab.connection)
  const { credential } = await lab.row()
  expect([credential.generation, lab.provider.presented.length]).toEqual([2, 1])
  await resealAll(lab, parts)
  expect(await keysOf(lab)).toEqual(['k2', 'k2'])
  const read = await lab.read()
  expect(read).toMatchObject({ generation: 2 })
  await lab.engine.refresh(lab.organization, lab.connection)
  expect((await lab.row()).credential.generation).toBe(3)
})

test('a row that was read before a refresh is not put back over its newer token', async () => {
  const parts = liveTestSeal('test', NEW)
  const lab = await createEngineLab({ ports: () => ({ seal: parts.seal }) })
  const { values } = await lab.store.reseals.sealedByOthers({ source: 1, after: [] }, 'k2')
  await lab.engine.refresh(lab.organization, lab.connection)
  const newest = (await lab.row()).credential
  parts.ring.use('k2')
  const startedBy = { kind: 'cli', id: null } as const
  const event = {
    id: newId('evt', systemEntropy),
    organization: lab.organization,
    type: 'keys.reseal_started',
    at: 1,
    actor: startedBy,
    connection: null,
    subject: 'k2',
    data: {},
  } as const
  await lab.store.reseals.start({ key: 'k2', organization: lab.organization, startedBy, startedAt: 1 }, event)
  await lab.store.reseals.claim('k2', 'node-1', 1, 10)
  const swaps = values.map(({ source, column, key, sealed, context }) => ({
    source,
    column,
    key,
    was: sealed,
    is: parts.seal.seal(parts.seal.open(sealed, context), context),
  }))
  expect(swaps.length).toBe(2)
  const after = await lab.store.reseals.advance({ key: 'k2', holder: 'node-1', heldUntil: 10, swaps, unopened: 0, next: null })
  expect([after?.done, after?.touched]).toEqual([0, 2])
  expect((await lab.row()).credential).toEqual(newest)
})
