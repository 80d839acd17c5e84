import type { Connection, ConnectSession } from '@evergrant/sdk/wire'

type Nothing = { readonly [key: string]: never }
interface Op<Query, Body, Answer> {
  readonly query: Query
  readonly body: Body
  readonly answer: Answer
}

interface Page<Item> {
  readonly items: readonly Item[]
  readonly cursor: string | null
}

/** An entry of the audit record. */
export interface AuditEvent {
  readonly id: string
  readonly type: string
  readonly at: string
  readonly actor: { readonly kind: string; readonly id: string | null }
  readonly connection_id: string | null
  readonly subject: string | null
  readonly data: { readonly [key: string]: unknown }
}

interface Alert {
  readonly id: string
  readonly kind: string
  readonly severity: string
  readonly state: string
  readonly title: string
  readonly text: string
  readonly subject: string | null
  readonly count: number
  readonly opened_at: string
  readonly last_at: string
  readonly resolved_at: string | null
  readonly resolved_by: string | null
  readonly runbook_url: string | null
  /** Search parameters of the list behind it, or null. */
  readonly filter: Readonly<Record<string, string>> | string | null
}

/** What the list of connections can be narrowed and sorted by. */
export interface ConnectionFilter {
  readonly q?: string | undefined
  /** Several: comma between them. */
  readonly status?: string | undefined
  readonly provider?: string | undefined
  readonly integration?: string | undefined
  readonly owner?: string | undefined
  readonly tag?: string | undefined
  readonly code?: string | undefined
  readonly expires_before?: string | undefined
  readonly expires_after?: string | undefined
  readonly sort?: string | undefined
}

export interface Cause {
  readonly cause: string
  readonly provider: string
  readonly integration: string
  readonly code: string | null
  readonly title: string
  readonly operator_text: string
  /** Links that are sent to the owners can mend them. */
  readonly link_repairs: boolean
  readonly connections: number
  readonly since: string | null
  readonly filter: Readonly<Record<string, string>> | string
}

export interface Weather {
  readonly provider: string
  readonly name: string
  readonly requests: number
  readonly failures: number
  readonly breaker: string
  readonly open_since: string | null
  /** Share that went well, an hour each, oldest first; null where nothing was asked. */
  readonly spark: readonly (number | null)[]
}

export interface Overview {
  readonly server_time: string
  readonly sentence: string
  readonly counts: {
    readonly total: number
    readonly healthy: number
    readonly needs_owner: number
    readonly waiting: number
    readonly blocked: number
    readonly paused: number
    readonly disconnected: number
  }
  readonly attention: readonly Cause[]
  readonly expiring: { readonly day: number; readonly week: number; readonly month: number; readonly quarter: number }
  readonly weather: readonly Weather[]
  readonly changes: readonly AuditEvent[]
  readonly alerts: readonly Alert[]
  readonly agents: { readonly agents: number; readonly installations: number; readonly locked: number; readonly healed_24h: number }
  readonly setup: { readonly has_integration: boolean; readonly has_connection: boolean; readonly has_refresh: boolean; readonly has_reconnect: boolean }
}

export interface Facet {
  readonly value: string
  readonly name?: string
  readonly count: number
}

export interface Facets {
  readonly total?: number
  readonly status: readonly Facet[]
  readonly provider: readonly Facet[]
  readonly integration: readonly Facet[]
  readonly code: readonly Facet[]
}

export interface Why {
  readonly sentence: string
  readonly status: string
  readonly steps: readonly { readonly at: string | null; readonly what: string; readonly detail: string | null }[]
  readonly rule: { readonly [key: string]: unknown } | null
  readonly evidence: { readonly [key: string]: unknown } | null
  readonly next: { readonly what: string; readonly at: string | null } | null
  readonly retries: readonly { readonly failures: number; readonly since: string | null; readonly at: string | null }[]
}

/** One entry of a connection's life: an event, or an hour of uses by one actor. */
export interface TimelineEntry {
  readonly kind: string
  readonly at: string
  readonly event?: AuditEvent
  readonly use?: { readonly actor: { readonly kind: string; readonly id: string | null }; readonly access: string; readonly count: number }
}

export type BulkAction = 'refresh' | 'pause' | 'resume' | 'tag' | 'untag' | 'reconnect_links' | 'disconnect'

export interface BulkResult {
  readonly bulk_id: string | null
  readonly count: number
  readonly sample: readonly { readonly id: string; readonly [key: string]: unknown }[]
  readonly undo_until: string | null
  readonly results: readonly { readonly connection_id: string; readonly outcome: string; readonly detail: string | null; readonly url: string | null }[]
}

/** The requests of docs/reference/console-api.md that overview, connections and the frame make. */
export interface ConsoleOperations {
  'GET /api/v1/console/overview': Op<Nothing, undefined, Overview>
  'GET /api/v1/connections': Op<ConnectionFilter & { readonly limit?: number; readonly cursor?: string }, undefined, Page<Connection>>
  'GET /api/v1/connections/facets': Op<ConnectionFilter, undefined, Facets>
  'GET /api/v1/connections/{id}/why': Op<Nothing, undefined, Why>
  'GET /api/v1/connections/{id}/timeline': Op<{ readonly limit?: number; readonly cursor?: string }, undefined, Page<TimelineEntry>>
  'POST /api/v1/connections/bulk': Op<
    Nothing,
    {
      readonly action: BulkAction
      readonly ids?: readonly string[]
      readonly filter?: ConnectionFilter
      readonly tag?: string
      readonly dry_run?: boolean
      readonly confirm?: string
    },
    BulkResult
  >
  'POST /api/v1/connections/bulk/{id}/undo': Op<Nothing, undefined, Pick<BulkResult, 'results'>>
  'POST /api/v1/connections/{id}/reconnect': Op<Nothing, { readonly return_url?: string; readonly mode?: 'verified' | 'signed_in' | 'link' }, ConnectSession>
}
