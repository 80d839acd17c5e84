import { expect, test } from 'vitest'
import { DriftWatch } from '../core/drift/drift-watch.ts'
import { systemEntropy } from '../system.ts'
import { createApiLab } from '../testing/api-lab.ts'
import { testSeal } from '../testing/seal.ts'

test('a refresh whose answer differs from the sample is shown at its provider, to the organization that saw it', async () => {
  const samples = { refresh: { access_token: 'a', refresh_token: 'r', token_type: 'Bearer', expires_in: '3600', region: 'eu' } }
  const lab = await createApiLab({ reuse: 'P0', record: { samples, rotation: 'always' } })
  const watch = new DriftWatch({
    events: lab.store.events,
    seal: testSeal(),
    clock: lab.time.clock,
    entropy: systemEntropy,
    log: { info: () => {}, warn: () => {}, error: () => {} },
  })
  const driftOf = async (key?: string) => (await lab.call('GET', '/api/v1/providers/scripted', key === undefined ? {} : { key })).json.drift
  expect(await driftOf()).toEqual([])
  await lab.call('POST', `/api/v1/connections/${lab.connection}/refresh`)
  const live = lab.observed.flatMap((observation) => (observation.live === undefined ? [] : [observation.live]))
  expect(live.map(({ step, organization }) => ({ step, organization }))).toEqual([{ step: 'refresh', organization: lab.organization }])
  for (const answer of live) watch.look(answer)
  const expected = [
    {
      at: new Date(lab.time.clock.wall()).toISOString(),
      step: 'refresh',
      missing: ['region'],
      changed: [{ path: 'expires_in', expected: ['string'], found: ['number'] }],
      added: [],
    },
  ]
  await expect.poll(() => driftOf()).toEqual(expected)
  expect(await driftOf(await lab.keyFor(['tokens:read'], await lab.anotherOrganization()))).toEqual([])
})
