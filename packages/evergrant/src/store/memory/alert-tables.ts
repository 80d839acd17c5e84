import type { Alert, AlertItem, Notice } from '../../core/alert/alert.ts'
import type { Channel } from '../../core/alert/channel.ts'
import type { OwnerLetter } from '../../core/alert/owner-letter.ts'
import type { AlertRule } from '../../core/alert/rule.ts'
import type { AlertId, ChannelId, DeliveryId, EventId, NoticeId, OrganizationId, OwnerLetterId, WebhookId } from '../../core/ids.ts'
import type { Instant } from '../../core/time.ts'
import type { Delivery, DeliveryTry } from '../../core/webhook/delivery.ts'
import type { WebhookEndpoint } from '../../core/webhook/endpoint.ts'

/** What a copy of the rows about alerts holds. */
export interface AlertRows {
  /** Events that nobody has looked at, and whose they are. */
  readonly outbox: ReadonlyMap<EventId, OrganizationId>
  readonly leases: ReadonlyMap<string, { readonly holder: string; readonly until: Instant }>
  readonly webhooks: ReadonlyMap<WebhookId, WebhookEndpoint & { readonly claimedAt: Instant }>
  readonly deliveries: ReadonlyMap<DeliveryId, Delivery>
  readonly tries: ReadonlyMap<DeliveryId, readonly DeliveryTry[]>
  readonly rules: ReadonlyMap<OrganizationId, readonly AlertRule[]>
  readonly alerts: ReadonlyMap<AlertId, Alert>
  /** By alert and subject. */
  readonly items: ReadonlyMap<string, AlertItem>
  readonly channels: ReadonlyMap<ChannelId, Channel>
  readonly notices: ReadonlyMap<NoticeId, Notice>
  readonly letters: ReadonlyMap<OwnerLetterId, OwnerLetter>
}

/** The rows about alerts, channels and webhooks. */
export class AlertTables implements AlertRows {
  readonly outbox = new Map<EventId, OrganizationId>()
  readonly leases = new Map<string, { readonly holder: string; readonly until: Instant }>()
  readonly webhooks = new Map<WebhookId, WebhookEndpoint & { readonly claimedAt: Instant }>()
  readonly deliveries = new Map<DeliveryId, Delivery>()
  readonly tries = new Map<DeliveryId, readonly DeliveryTry[]>()
  readonly rules = new Map<OrganizationId, readonly AlertRule[]>()
  readonly alerts = new Map<AlertId, Alert>()
  readonly items = new Map<string, AlertItem>()
  readonly channels = new Map<ChannelId, Channel>()
  readonly notices = new Map<NoticeId, Notice>()
  readonly letters = new Map<OwnerLetterId, OwnerLetter>()

  copy(): AlertRows {
    const { outbox, leases, webhooks, deliveries, tries, rules, alerts, items, channels, notices, letters } = this
    return {
      outbox: new Map(outbox),
      leases: new Map(leases),
      webhooks: new Map(webhooks),
      deliveries: new Map(deliveries),
      tries: new Map(tries),
      rules: new Map(rules),
      alerts: new Map(alerts),
      items: new Map(items),
      channels: new Map(channels),
      notices: new Map(notices),
      letters: new Map(letters),
    }
  }

  refill(rows: AlertRows): void {
    refill(this.outbox, rows.outbox)
    refill(this.leases, rows.leases)
    refill(this.webhooks, rows.webhooks)
    refill(this.deliveries, rows.deliveries)
    refill(this.tries, rows.tries)
    refill(this.rules, rows.rules)
    refill(this.alerts, rows.alerts)
    refill(this.items, rows.items)
    refill(this.channels, rows.channels)
    refill(this.notices, rows.notices)
    refill(this.letters, rows.letters)
  }
}

function refill<Key, Value>(map: Map<Key, Value>, rows: ReadonlyMap<Key, Value>): void {
  map.clear()
  for (const [key, value] of rows) map.set(key, value)
}
