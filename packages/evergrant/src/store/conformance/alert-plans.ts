import {
  type AlertId,
  type ChannelId,
  type ConnectionId,
  type DeliveryId,
  type EventId,
  type NoticeId,
  newId,
  type OwnerLetterId,
  type WebhookId,
} from '../../core/ids.ts'
import { DAY, HOUR, type Instant } from '../../core/time.ts'
import type { Row } from '../sql/program.ts'
import type { AgentPlan } from './agent-plans.ts'
import { itemOf, NO_CHANGE, newAlert, newChannel } from './alert-cases.ts'
import type { TestOrganization } from './test-organization.ts'
import { newDelivery, newEndpoint } from './webhook-cases.ts'

const LIMIT = 20
const numbered = (prefix: string, index: number): string => `${prefix}_${String(index).padStart(8, '0')}`
const webhookAt = (index: number) => numbered('whk', index) as WebhookId
const deliveryAt = (index: number) => numbered('dlv', index) as DeliveryId
const alertAt = (index: number) => numbered('alt', index) as AlertId
const channelAt = (index: number) => numbered('chn', index) as ChannelId
const connectionAt = (index: number) => numbered('con', index) as ConnectionId
/** Few have something to do now. */
const FEW = 300

/** One of everything that is told; the others are copies of their rows. */
export async function fillAlerts(org: TestOrganization, connection: ConnectionId, now: Instant): Promise<void> {
  const { store, organization, context } = org
  const endpoint = await newEndpoint(org)
  await newDelivery(org, endpoint.id)
  const [claimed] = await store.webhooks.claim({ now, until: now + HOUR, endpoints: 1, perEndpoint: 1, busy: [] })
  if (claimed === undefined) throw new Error('nothing was claimed')
  const attempt = { at: 1, status: 503, durationMs: 20, error: null, excerpt: null }
  const settled = { delivery: claimed.delivery.id, claimedUntil: claimed.delivery.nextAt ?? 0, attempt, trouble: null, gone: null }
  await store.webhooks.settle({ ...settled, state: 'waiting', nextAt: 2 })
  const channel = newChannel(org)
  await store.channels.insert(channel, org.event('channel.created'))
  const alert = newAlert(org)
  const waiting = { state: 'waiting', attempts: 0, nextAt: 1, createdAt: 1 } as const
  await store.alerts.commit({
    ...NO_CHANGE,
    alerts: [{ alert, before: null }],
    items: [itemOf(alert, connection)],
    notices: [{ id: newId('ntc', context.entropy) as NoticeId, organization, channel: channel.id, alert: alert.id, reason: 'opened', ...waiting }],
    letters: [{ id: newId('ltr', context.entropy) as OwnerLetterId, organization, connection, why: 'needs_reauth', cause: 'plans', ...waiting }],
  })
}

/** In the order in which they refer to each other. */
export function alertCopies(now: Instant): Readonly<Record<string, (row: Row, index: number, id: string) => Row>> {
  const due = (index: number): number | null => (index % FEW === 7 ? now - index : index % 3 === 0 ? now + DAY + index : null)
  return {
    webhook: (row, index) => ({ ...row, id: webhookAt(index) }),
    delivery: (row, index) => ({
      ...row,
      id: deliveryAt(index),
      webhook_id: webhookAt(index % 50),
      event_id: numbered('evt', index) as EventId,
      next_at: due(index),
      state: due(index) === null ? 'delivered' : 'waiting',
      expires_at: index % FEW === 9 ? now - DAY : now + DAY,
      finished_at: due(index) === null ? (index % FEW === 11 ? now - 31 * DAY : now - DAY - index) : null,
    }),
    delivery_try: (row, index) => ({ ...row, delivery_id: deliveryAt(index) }),
    alert: (row, index) => ({ ...row, id: alertAt(index), cause_key: `cause ${index}`, resolved_at: index % FEW === 7 ? null : now - DAY - index }),
    alert_item: (row, index) => ({ ...row, alert_id: alertAt(index), subject: connectionAt(index), resolved_at: index % FEW === 7 ? null : now - DAY }),
    channel: (row, index) => ({ ...row, id: channelAt(index), organization_id: row.organization_id }),
    notice: (row, index) => ({ ...row, id: numbered('ntc', index), alert_id: alertAt(index), channel_id: channelAt(index), next_at: due(index) }),
    owner_letter: (row, index) => ({
      ...row,
      id: numbered('ltr', index),
      connection_id: connectionAt(index),
      next_at: due(index),
      created_at: index % FEW === 13 ? now - 91 * DAY : now - index,
    }),
  }
}

export function alertPlans(now: Instant): readonly AgentPlan[] {
  const page = { limit: LIMIT, cursor: null }
  const window = { from: now - HOUR, to: now }
  return [
    { name: 'events that nobody has looked at', run: (store) => store.alerts.pending(LIMIT) },
    { name: 'the alerts that are open', run: (store, { org }) => store.alerts.open(org.organization) },
    { name: 'the first page of alerts', run: (store, { org }) => store.alerts.list(org.organization, null, page) },
    { name: 'one alert', run: (store, { org }) => store.alerts.get(org.organization, alertAt(130)) },
    { name: 'the subjects of an alert', run: (store) => store.alerts.items(alertAt(131), LIMIT) },
    { name: 'what some subjects suffer from', run: (store, { org }) => store.alerts.itemsOf(org.organization, [connectionAt(7), connectionAt(8)]) },
    { name: 'taking notices that are due', run: (store) => store.alerts.takeNotices(now, now + HOUR, LIMIT) },
    { name: 'settling a notice', run: (store) => store.alerts.settleNotices([{ id: numbered('ntc', 132) as NoticeId, state: 'sent', nextAt: null }]) },
    { name: 'taking letters that are due', run: (store) => store.alerts.takeLetters(now, LIMIT) },
    { name: 'settling a letter', run: (store) => store.alerts.settleLetter(numbered('ltr', 133) as OwnerLetterId, 'sent', null, null) },
    { name: 'forgetting alerts', run: (store) => store.alerts.purge(now - 90 * DAY, LIMIT) },
    { name: 'an endpoint', run: (store, { org }) => store.webhooks.get(org.organization, webhookAt(134)) },
    { name: "an endpoint's deliveries", run: (store, { org }) => store.webhooks.deliveries(org.organization, webhookAt(15), null, page) },
    { name: 'one delivery with its tries', run: (store, { org }) => store.webhooks.delivery(org.organization, deliveryAt(136)) },
    {
      name: 'claiming deliveries that are due',
      run: (store) => store.webhooks.claim({ now, until: now + HOUR, endpoints: 4, perEndpoint: 5, busy: [webhookAt(1)] }),
    },
    {
      name: 'settling a delivery',
      run: (store) =>
        store.webhooks.settle({
          delivery: deliveryAt(138),
          claimedUntil: now,
          attempt: { at: now, status: 200, durationMs: 3, error: null, excerpt: null },
          ...{ state: 'delivered', nextAt: null, trouble: null, gone: null },
        }),
    },
    { name: 'giving deliveries up', run: (store) => store.webhooks.expire(now, LIMIT) },
    { name: 'forgetting deliveries', run: (store) => store.webhooks.purge(now - 30 * DAY, LIMIT) },
    { name: 'who was told in an hour', run: (store, { org }) => store.observed.notified(org.organization, window.from, window.to) },
  ]
}
