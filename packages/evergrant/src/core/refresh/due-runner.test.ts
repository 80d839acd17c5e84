// What was taken is put off only while nobody else has acted on it.
import { expect, test } from 'vitest'
import { setDueAt } from '../../testing/due-time.ts'
import { createEngineLab, type EngineLab, type LabOptions } from '../../testing/engine-lab.ts'
import { settle } from '../../testing/settle.ts'
import { DAY, HOUR, MINUTE, SECOND } from '../time.ts'

/** Its runner puts nothing off before `meanwhile` has happened. */
async function labWhere(options: LabOptions, meanwhile: (lab: EngineLab) => Promise<unknown>): Promise<EngineLab> {
  const lab: EngineLab = await createEngineLab({
    ...options,
    ports: ({ credentials }) => ({
      credentials: {
        ...credentials,
        reschedule: async (taken, dueAt) => {
          await meanwhile(lab)
          return credentials.reschedule(taken, dueAt)
        },
      },
    }),
  })
  return lab
}

const HOLDER = { id: 'node-2', incarnation: 'x' }
const read = (lab: EngineLab) => {
  const at = lab.time.clock.wall()
  return lab.store.credentials.markReads([{ connection: lab.connection, at, dueAt: at + SECOND }])
}
const dueIn = async (lab: EngineLab) => {
  const { dueAt } = (await lab.row()).health
  return dueAt === null ? null : dueAt - lab.time.clock.wall()
}

test('what nobody has read for long is put off for hours, but not when it is read meanwhile', async () => {
  const reads: boolean[] = []
  const lab = await labWhere({}, async (of) => {
    if (reads.pop()) await read(of)
  })
  await lab.time.advance(1.5 * DAY)
  const look = async () => {
    await setDueAt(lab.store, lab.connection, lab.time.clock.wall())
    await settle(lab, lab.engine.runDue())
    return dueIn(lab)
  }
  expect(await look()).toBeGreaterThan(HOUR)
  reads.push(true)
  expect(await look()).toBe(SECOND)
})

test('what another node renewed while this one found it held is due when that one said', async () => {
  const lab = await labWhere({ settings: { renewal: 'ahead' } }, async (lab) => {
    const { connection, organization, store } = lab
    const { credential, connection: of } = await lab.row()
    const at = lab.time.clock.wall()
    const intent = credential.intent?.id ?? 'itn_none'
    const event = {
      id: 'evt_renewed',
      organization,
      type: 'connection.refreshed',
      at,
      actor: { kind: 'system', id: null },
      connection,
      subject: null,
      data: {},
    } as const
    await store.credentials.commitGrant({
      ...{
        connection,
        organization,
        intent,
        presentedGeneration: 1,
        presentedFingerprint: credential.fingerprint,
        scopes: null,
        facts: of.facts,
        account: null,
      },
      answer: { intent, receivedAt: at, httpStatus: 200, verdict: 'granted', body: new Uint8Array(1), bodyHash: 'hash' },
      credential: { ...credential, fingerprint: 'another', obtainedAt: at, softAt: at + HOUR },
      ...{ dueAt: at + HOUR, end: { at: null, warnAt: null }, yields: false, event },
    })
  })
  await lab.time.advance(HOUR)
  const { connection } = lab
  await lab.store.credentials.claim({ connection, generation: 1, epoch: 0, node: HOLDER, intent: 'itn_other', leaseMs: 10 * MINUTE })
  await setDueAt(lab.store, connection, lab.time.clock.wall())
  await settle(lab, lab.engine.runDue())
  expect(lab.provider.presented).toEqual([])
  expect(await dueIn(lab)).toBe(HOUR)
})

test('what is held elsewhere is put off until that lease ends, if nobody acts meanwhile', async () => {
  const lab = await createEngineLab({ settings: { renewal: 'ahead' } })
  await lab.time.advance(HOUR)
  const { connection } = lab
  await lab.store.credentials.claim({ connection, generation: 1, epoch: 0, node: HOLDER, intent: 'itn_other', leaseMs: 10 * MINUTE })
  await setDueAt(lab.store, connection, lab.time.clock.wall())
  await settle(lab, lab.engine.runDue())
  expect(await dueIn(lab)).toBeGreaterThanOrEqual(10 * MINUTE)
})
