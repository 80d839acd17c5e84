import { expect, test } from 'vitest'
import { defineProvider } from '../../providers/define.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { contextOf } from '../../testing/provider-contexts.ts'
import { testSeal } from '../../testing/seal.ts'
import type { TokenEndpoint } from '../provider/wire.ts'
import { createCodeExchange } from './code-exchange.ts'
import type { Observation } from './engine-ports.ts'
import { NO_JOURNAL } from './journal.ts'
import { protocolTimes } from './protocol-times.ts'

const record = defineProvider({
  id: 'sampled',
  name: 'Sampled',
  authorize: { url: 'https://provider.example/authorize' },
  token: { url: 'https://provider.example/token' },
})

async function observed(status: number, body: string): Promise<readonly Observation[]> {
  const { clock } = createManualTime()
  const observations: Observation[] = []
  const answer = { status, headers: { 'content-type': 'application/json' }, body: new TextEncoder().encode(body), text: body }
  const endpoint: TokenEndpoint = { open: async () => ({ send: async () => ({ kind: 'answered', answer }), close: () => {} }) }
  const log = { info: () => {}, warn: () => {}, error: () => {} }
  const observe = (observation: Observation) => void observations.push(observation)
  const exchange = createCodeExchange({ clock, seal: testSeal(), log, endpoint, journal: NO_JOURNAL, times: protocolTimes(), observe })
  const where = { organization: 'org_a', session: 'cs_a', intent: 'itn_a', redirectUri: 'https://app.example/callback', verifier: null, callback: {} } as const
  await exchange.run({ ...where, context: await contextOf(record), code: 'c' })
  return observations
}

test('the answer of an exchange that granted is observed as it came, and no other', async () => {
  const [granted] = await observed(200, '{"access_token":"a","token_type":"Bearer"}')
  expect(granted?.live).toMatchObject({
    step: 'exchange',
    organization: 'org_a',
    record: { id: 'sampled' },
    answer: { text: '{"access_token":"a","token_type":"Bearer"}' },
  })
  const [refused] = await observed(400, '{"error":"invalid_grant"}')
  expect(refused?.live).toBeUndefined()
})
