import { expect, test } from 'vitest'
import { createEngineLab, type EngineLab, type LabOptions } from '../../testing/engine-lab.ts'
import { whileTimeRuns } from '../../testing/manual-time.ts'
import { Fault } from '../fault/fault.ts'
import type { ReuseProbeReport } from './reuse-probe.ts'

const MINUTE = 60_000

const probe = (lab: EngineLab): Promise<ReuseProbeReport> =>
  lab.engine.learnReuse({
    organization: lab.organization,
    connection: lab.connection,
    limits: { forSeconds: 3_600, patienceSeconds: 60 },
    pause: () => Promise.resolve(),
    resume: () => Promise.resolve(),
    use: () => Promise.resolve(null),
  })

/** A database that takes the claim, and whose answer to it is lost. */
function labWithLostClaims(lost: { claims: boolean }, options: LabOptions = {}): Promise<EngineLab> {
  return createEngineLab({
    reuse: 'P4',
    ...options,
    ports: ({ credentials }) => ({
      credentials: {
        ...credentials,
        claim: async (request) => {
          const outcome = await credentials.claim(request)
          if (lost.claims) throw new Fault('store_unavailable')
          return outcome
        },
      },
    }),
  })
}

test('a probe whose claim was written, and was not heard of, gives it back: nothing was sent, and nobody waits for its lease', async () => {
  const lost = { claims: true }
  const lab = await labWithLostClaims(lost)
  await expect(whileTimeRuns(lab.time, probe(lab))).rejects.toMatchObject({ code: 'store_unavailable' })
  await lab.time.advance(MINUTE)
  expect((await lab.row()).credential).toMatchObject({ lease: null, intent: null, suspicion: null })
  lost.claims = false
  await lab.time.advance(60 * MINUTE)
  expect(await whileTimeRuns(lab.time, lab.read())).toMatchObject({ generation: 2 })
})

test('the newest token of a probe, presented without an answer, is no token of which nobody knows anything', async () => {
  const lab = await createEngineLab({ reuse: 'P4' })
  // The first use works, the second one of it is refused without ending the grant, and what became of the successor is not heard.
  const refused = { kind: 'answer', status: 400, body: '{"error":"invalid_grant"}' } as const
  lab.provider.steps.push({ kind: 'late', ms: 1 }, refused, { kind: 'lost' })
  const report = await whileTimeRuns(lab.time, probe(lab))
  expect([report.class, lab.provider.presented]).toEqual([null, ['rt-1', 'rt-1', 'rt-2']])
  const { credential } = await lab.row()
  expect([credential.generation, credential.suspicion]).toMatchObject([2, { answered: false }])
  // As long ago as it was sent, not as the wait for an answer ended.
  expect(lab.time.clock.wall() - (credential.suspicion?.at ?? 0)).toBeGreaterThanOrEqual(75_000)
})
