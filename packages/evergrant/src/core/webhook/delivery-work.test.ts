import { expect, test } from 'vitest'
import { systemEntropy } from '../../system.ts'
import { createManualTime } from '../../testing/manual-time.ts'
import { type AuditEvent, SYSTEM_ACTOR } from '../audit/event.ts'
import { newId } from '../ids.ts'
import type { Delivery } from './delivery.ts'
import { DeliveryWork, type PostOutcome } from './delivery-work.ts'
import type { WebhookEndpoint } from './endpoint.ts'
import type { ClaimedDelivery } from './webhooks.ts'

const organization = newId('org', systemEntropy)
const secret = new Uint8Array()
const endpoint: WebhookEndpoint = {
  ...{ id: newId('whk', systemEntropy), organization, name: 'app', url: 'https://app.example/hooks', types: ['*'], secret, previousSecret: null },
  ...{ previousUntil: null, enabled: true, failures: 0, failingSince: null, openUntil: null, lastDeliveredAt: null, createdAt: 0, updatedAt: 0, version: 1 },
}

function claimed(): ClaimedDelivery {
  const type = 'connection.paused' as const
  const event: AuditEvent = { id: newId('evt', systemEntropy), organization, type, at: 0, actor: SYSTEM_ACTOR, connection: null, subject: null, data: {} }
  const what = { organization, endpoint: endpoint.id, event: event.id, type, state: 'waiting', attempts: 0 } as const
  const delivery: Delivery = { id: newId('dlv', systemEntropy), ...what, nextAt: 0, createdAt: 0, expiresAt: 0, finishedAt: null }
  return { delivery, endpoint, event }
}

test('an endpoint is busy, and a drain waits, until every delivery to it is over, also when one could not be written down', async () => {
  const time = createManualTime()
  const [lost, slow] = [claimed(), claimed()]
  let answer = (_outcome: PostOutcome): void => {}
  const settled: string[] = []
  const busy: (readonly string[])[] = []
  const work = new DeliveryWork({
    webhooks: {
      claim: async (request) => {
        busy.push(request.busy)
        return busy.length === 1 ? [lost, slow] : []
      },
      settle: async ({ delivery }) => {
        if (delivery === lost.delivery.id) throw new Error('the database is away')
        settled.push(delivery)
      },
      expire: async () => 0,
    },
    payload: { iso: String, details: async () => undefined, reconnectUrl: () => null },
    send: ({ id }) =>
      id === lost.event.id
        ? Promise.resolve({ kind: 'failed', cause: 'timeout' })
        : new Promise((resolve) => {
            answer = resolve
          }),
    seal: { openText: () => 'whsec_x' },
    ...{ clock: time.clock, timers: time.timers, entropy: systemEntropy, count: () => {} },
    log: { info: () => {}, warn: () => {}, error: () => {} },
  })
  await work.run()
  await time.advance(0)
  let drained = false
  const drain = work.settled().then(() => {
    drained = true
  })
  const next = work.run()
  await time.advance(1_000)
  await next
  expect([drained, busy.at(-1)]).toEqual([false, [endpoint.id]])
  answer({ kind: 'answered', status: 200, headers: {}, text: '' })
  await drain
  expect(settled).toEqual([slow.delivery.id])
})
