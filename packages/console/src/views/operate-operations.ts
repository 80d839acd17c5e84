import type { Json, Nothing, Operation, Page, PageQuery } from './operation.ts'

export interface AlertRecord {
  readonly id: string
  readonly kind: string
  readonly severity: string
  readonly state: string
  readonly title: string
  readonly text: string
  readonly subject: string | null
  readonly count: number
  readonly total: number
  readonly opened_at: string
  readonly last_at: string
  readonly resolved_at: string | null
  readonly resolved_by: string | null
  readonly acknowledged_at: string | null
  readonly acknowledged_by: string | null
  readonly snoozed_until: string | null
  readonly runbook_url: string
  /** Query of the list of connections behind it. */
  readonly filter: string | null
}

export interface AlertRule {
  readonly id: string
  readonly kind: string
  readonly enabled: boolean
  readonly threshold: number | null
  readonly minutes: number | null
  readonly severity: string
  readonly channels: readonly string[] | null
  readonly group_minutes: number
  readonly notify_owner: boolean
}

interface QuietHours {
  readonly from: string
  readonly to: string
  readonly time_zone: string
}

export interface ChannelRecord {
  readonly id: string
  readonly kind: string
  readonly name: string
  readonly enabled: boolean
  readonly to: readonly string[]
  readonly digest: boolean
  readonly digest_when_well: boolean
  readonly webhook_id: string | null
  readonly host: string | null
  readonly quiet_hours: QuietHours | null
  readonly last_sent_at: string | null
  readonly last_error: string | null
  readonly created_at: string
}

export interface ChannelInput {
  readonly kind?: string
  readonly name?: string
  readonly enabled?: boolean
  readonly url?: string
  readonly to?: readonly string[]
  readonly digest?: boolean
  readonly digest_when_well?: boolean
  readonly webhook?: string
  readonly subscription?: { readonly [key: string]: Json }
  readonly quiet_hours?: QuietHours | null
}

export interface WebhookRecord {
  readonly id: string
  readonly name: string
  readonly url: string
  readonly types: readonly string[]
  readonly state: string
  readonly enabled: boolean
  readonly failures: number
  readonly failing_since: string | null
  readonly open_until: string | null
  readonly previous_secret_until: string | null
  readonly last_delivered_at: string | null
  readonly created_at: string
}
type IssuedWebhook = WebhookRecord & { readonly secret: string }

export interface DeliveryTry {
  readonly at: string
  readonly status: number | null
  readonly duration_ms: number
  readonly error: string | null
  readonly answer: string | null
}

export interface DeliveryRecord {
  readonly id: string
  readonly webhook_id: string
  readonly event_id: string
  readonly type: string
  readonly state: string
  readonly attempts: number
  readonly next_at: string | null
  readonly created_at: string
  readonly finished_at: string | null
  readonly tries: readonly DeliveryTry[]
}
export type DeliveryDetails = DeliveryRecord & { readonly event: { readonly [key: string]: Json } | null }

export interface OrganizationSettings {
  readonly application_name: string | null
  readonly logo: string | null
  readonly accent: string | null
  readonly support_email: string | null
  readonly support_url: string | null
  readonly privacy_url: string | null
  readonly status_text: string | null
  readonly owner_mail: boolean
  readonly digest: boolean
}

export interface ResealRecord {
  readonly key: string
  readonly started_at: string
  readonly total: number | null
  readonly done: number
  readonly unopened: number
  readonly per_second: number | null
  readonly seconds_left: number | null
  readonly finished_at: string | null
}

export interface MasterKeys {
  readonly keys: readonly { readonly id: string; readonly state: string; readonly values: number; readonly journal: number }[]
  readonly source: string
  readonly nodes: readonly { readonly id: string; readonly alive: boolean; readonly keys: readonly string[] | null; readonly seals: string | null }[]
  readonly reseal: ResealRecord | null
  readonly complete: boolean
  readonly counted_at: string | null
}

interface SigningKeyRecord {
  readonly id: string
  readonly state: string
  readonly algorithm: string
  readonly created_at: string
  readonly since: string
  readonly changes_at: string | null
  readonly becomes: string
}

/** Operations of alerts, webhooks, channels, settings and keys that the generated wire types do not hold. docs/reference/console-api.md. */
export interface OperateOperations {
  'GET /api/v1/alerts': Operation<PageQuery & { readonly state?: string }, undefined, Page<AlertRecord>>
  'POST /api/v1/alerts/{id}/acknowledge': Operation<Nothing, undefined, AlertRecord>
  'POST /api/v1/alerts/{id}/snooze': Operation<Nothing, { readonly until: string }, AlertRecord>
  'POST /api/v1/alerts/{id}/resolve': Operation<Nothing, undefined, AlertRecord>
  'GET /api/v1/alert-rules': Operation<Nothing, undefined, { readonly items: readonly AlertRule[] }>
  'PUT /api/v1/alert-rules': Operation<Nothing, { readonly items: readonly Partial<AlertRule>[] }, { readonly items: readonly AlertRule[] }>
  'GET /api/v1/channels': Operation<Nothing, undefined, { readonly items: readonly ChannelRecord[]; readonly cursor?: null }>
  'POST /api/v1/channels': Operation<Nothing, ChannelInput, ChannelRecord>
  'PATCH /api/v1/channels/{id}': Operation<Nothing, ChannelInput, ChannelRecord>
  'DELETE /api/v1/channels/{id}': Operation<Nothing, undefined, undefined>
  'POST /api/v1/channels/{id}/test': Operation<Nothing, undefined, { readonly ok: boolean; readonly detail: string | null }>
  'GET /api/v1/console/push-key': Operation<Nothing, undefined, { readonly public_key: string }>
  'GET /api/v1/webhooks': Operation<Nothing, undefined, Page<WebhookRecord>>
  'POST /api/v1/webhooks': Operation<Nothing, { readonly name: string; readonly url: string; readonly types?: readonly string[] }, IssuedWebhook>
  'GET /api/v1/webhooks/{id}': Operation<Nothing, undefined, WebhookRecord>
  'PATCH /api/v1/webhooks/{id}': Operation<
    Nothing,
    { readonly name?: string; readonly url?: string; readonly types?: readonly string[]; readonly enabled?: boolean },
    WebhookRecord
  >
  'DELETE /api/v1/webhooks/{id}': Operation<Nothing, undefined, undefined>
  'POST /api/v1/webhooks/{id}/test': Operation<Nothing, undefined, DeliveryRecord>
  'POST /api/v1/webhooks/{id}/rotate-secret': Operation<Nothing, { readonly overlap_seconds?: number }, IssuedWebhook>
  'POST /api/v1/webhooks/{id}/replay': Operation<Nothing, { readonly since: string; readonly failed_only?: boolean }, { readonly deliveries: number }>
  'POST /api/v1/webhooks/{id}/enable': Operation<Nothing, undefined, WebhookRecord>
  'GET /api/v1/webhooks/{id}/deliveries': Operation<PageQuery & { readonly state?: string | undefined }, undefined, Page<DeliveryRecord>>
  'GET /api/v1/deliveries/{id}': Operation<Nothing, undefined, DeliveryDetails>
  'POST /api/v1/deliveries/{id}/replay': Operation<Nothing, undefined, DeliveryRecord>
  'GET /api/v1/settings': Operation<Nothing, undefined, OrganizationSettings>
  'PATCH /api/v1/settings': Operation<Nothing, Partial<OrganizationSettings>, OrganizationSettings>
  'GET /api/v1/admin/keys': Operation<Nothing, undefined, MasterKeys>
  'POST /api/v1/admin/keys/reseal': Operation<Nothing, undefined, ResealRecord>
  'GET /api/v1/signing-keys': Operation<Nothing, undefined, { readonly items: readonly SigningKeyRecord[]; readonly cursor?: null }>
}
