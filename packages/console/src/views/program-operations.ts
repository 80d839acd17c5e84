import type { Json, Nothing, Operation, Page, PageQuery } from './operation.ts'

type JsonRecord = { readonly [key: string]: Json }
interface Actor {
  readonly kind: string
  readonly id: string | null
}

export interface EventRecord {
  readonly id: string
  readonly type: string
  readonly at: string
  readonly actor: Actor
  readonly connection_id: string | null
  readonly subject: string | null
  readonly data: JsonRecord
}

interface SdkTokenRecord {
  readonly id: string
  readonly generation: number
  readonly state: string
  readonly created_at: string
  readonly seen_at: string | null
  readonly expires_at: string
  readonly revoked_at: string | null
  readonly revoke_class: string | null
  readonly revoke_reason: string | null
  readonly revoked_by: string | null
  readonly address: string | null
  readonly user_agent: string | null
  readonly metadata: { readonly source: string; readonly recovered_from: string | null; readonly recovery_reason: string | null }
}

export interface InstallationRecord {
  readonly id: string
  readonly agent: string
  readonly name: string
  readonly status: string
  readonly generation: number
  readonly key_thumbprint: string
  readonly key_created_at: string
  readonly custody: string
  readonly enrolled_via: string
  readonly recovery_mode: string | null
  readonly lock: { readonly code: string; readonly at: string; readonly message: string; readonly incident: string | null } | null
  readonly rekey_until: string | null
  readonly host: string | null
  readonly platform: string | null
  readonly address: string | null
  readonly user_agent: string | null
  readonly created_at: string
  readonly last_seen_at: string | null
  readonly last_refreshed_at: string | null
  readonly expires_at: string | null
  readonly token: SdkTokenRecord
}

interface HealingBudget {
  readonly mode: string
  readonly limit: number
  readonly used: number
  readonly remaining: number | null
  readonly window_days: number
  readonly max_offline_days: number
  readonly cooldown_until: string | null
}

export interface InstallationDetails extends InstallationRecord {
  readonly agent_name: string
  readonly agent_status: string
  readonly owner: string
  readonly next_refresh_at: string | null
  readonly recovery: HealingBudget
}

export interface TimelineEntry {
  readonly at: string
  readonly kind: string
  readonly id: string
  readonly what: string
  readonly sentence: string
  readonly data: JsonRecord
}

interface RecoveryAttempt {
  readonly id: string
  readonly at: string
  readonly outcome: string
  readonly code: string | null
  readonly counted: boolean
  readonly reason: string
  readonly address: string | null
  readonly request_id: string
}

export interface RecoveryWhy {
  readonly next: {
    readonly needed: boolean
    readonly verdict: string
    readonly rule: string
    readonly sentence: string
    readonly counted: boolean
    readonly retry_at: string | null
  }
  readonly attempts: readonly RecoveryAttempt[]
}

export interface TrustFactor {
  readonly id: string
  readonly earned: number
  readonly available: number
  readonly known: number
  readonly facts: readonly {
    readonly name: string
    readonly value: string | number | boolean | null
    readonly source: string
    readonly event_id: string | null
  }[]
  readonly advice: string | null
}

export interface Trust {
  readonly score: number
  readonly ceiling: number
  readonly trust_score: number
  readonly band: string
  readonly policy_version: number
  readonly computed_at: string
  readonly headline: string
  readonly factors: readonly TrustFactor[]
  readonly caps: readonly { readonly id: string; readonly max: number; readonly takes: number; readonly because: string; readonly event_id: string | null }[]
  readonly delta: { readonly since: string; readonly points: number; readonly because: readonly string[] } | null
  readonly notes: readonly { readonly id: string; readonly at: string; readonly by: Actor; readonly note: string }[]
}

export interface Incident {
  readonly id: string
  readonly agent: string
  readonly installation: string | null
  readonly kind: string
  readonly at: string
  readonly message: string
  readonly event_id: string
  readonly closed_at: string | null
  readonly closed_by: Actor | null
  readonly note: string | null
}

export interface AgentSettings {
  readonly recovery_enabled: boolean
  readonly recovery_works: boolean
  readonly off_because: string | null
  readonly recovery: {
    readonly mode: string
    readonly limit: number
    readonly window_days: number
    readonly max_offline_days: number
    readonly on_clone: string
  }
  readonly breaker_until: string | null
}

export interface HistorySeries {
  readonly name: string
  readonly labels: { readonly [label: string]: string }
  readonly points: readonly (readonly [at: string, value: number])[]
}
export interface History {
  readonly step: string
  readonly from: string
  readonly series: readonly HistorySeries[]
}

interface ExpiryBuckets {
  readonly buckets: readonly { readonly from: string; readonly to: string; readonly lane: string; readonly human: number; readonly automatic: number }[]
  readonly lanes: readonly string[]
  readonly bucket_seconds?: number
}

type RecoveryChange = {
  readonly mode?: string
  readonly limit?: number
  readonly window_days?: number
  readonly max_offline_days?: number
  readonly on_clone?: string
}
type Reason = { readonly reason?: string }

/** Operations of agents, installations and figures that the generated wire types do not hold. docs/reference/console-api.md. */
export interface ProgramOperations {
  'GET /api/v1/installations': Operation<
    PageQuery & { readonly agent?: string | undefined; readonly status?: string | undefined; readonly healed_since?: string | undefined },
    undefined,
    Page<InstallationRecord>
  >
  'GET /api/v1/installations/{id}': Operation<Nothing, undefined, InstallationDetails>
  'PATCH /api/v1/installations/{id}': Operation<Nothing, { readonly name?: string; readonly recovery_mode?: string | null }, InstallationDetails>
  'GET /api/v1/installations/{id}/timeline': Operation<
    { readonly limit?: number },
    undefined,
    { readonly items: readonly TimelineEntry[]; readonly cursor: null }
  >
  'GET /api/v1/installations/{id}/why': Operation<Nothing, undefined, RecoveryWhy>
  'POST /api/v1/installations/{id}/rotate': Operation<Nothing, Reason, { readonly rotated: number }>
  'POST /api/v1/installations/rotate': Operation<Nothing, Reason, { readonly rotated: number }>
  'POST /api/v1/agents/{id}/rotate': Operation<Nothing, Reason, { readonly rotated: number }>
  'POST /api/v1/installations/{id}/cut-off': Operation<Nothing, Reason & { readonly reason_class?: string }, InstallationDetails>
  'POST /api/v1/installations/{id}/compromised': Operation<Nothing, Reason, InstallationDetails>
  'POST /api/v1/installations/{id}/lock': Operation<Nothing, Reason, InstallationDetails>
  'POST /api/v1/installations/{id}/unlock': Operation<Nothing, undefined, InstallationDetails>
  'GET /api/v1/agents/{id}/trust': Operation<Nothing, undefined, Trust>
  'GET /api/v1/agents/{id}/incidents': Operation<PageQuery, undefined, Page<Incident>>
  'POST /api/v1/incidents/{id}/close': Operation<Nothing, { readonly note: string }, Incident>
  'POST /api/v1/agents/{id}/notes': Operation<Nothing, { readonly note: string }, Trust['notes'][number]>
  'GET /api/v1/agent-settings': Operation<Nothing, undefined, AgentSettings>
  'PUT /api/v1/agent-settings': Operation<
    Nothing,
    { readonly recovery_enabled?: boolean; readonly recovery?: RecoveryChange; readonly close_breaker?: boolean },
    AgentSettings
  >
  'GET /api/v1/metrics/history': Operation<
    { readonly series: string; readonly from?: string; readonly to?: string; readonly by?: string | undefined },
    undefined,
    History
  >
  'GET /api/v1/expiries': Operation<{ readonly from?: string; readonly to?: string; readonly lane?: string }, undefined, ExpiryBuckets>
}
