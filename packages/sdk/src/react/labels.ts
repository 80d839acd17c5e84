/** How a message is worded. Of `body` the first text counts whose places can all be filled. */
export interface Message {
  readonly title: string
  readonly body: readonly string[]
  /** The one next step; absent where nothing that a person does would help. */
  readonly primary?: string
  /** Shown only where the application says what it does, except for those that put the message away or open its details. */
  readonly secondary?: string
}

export type MessageCode =
  | 'connection_expired'
  | 'connection_expiring'
  | 'connection_revoked'
  | 'refresh_outcome_lost'
  | 'rotated_after_backup'
  | 'grant_kept_elsewhere'
  | 'new_credentials_needed'
  | 'scope_missing'
  | 'admin_approval_required'
  | 'account_mismatch'
  | 'connection_paused'
  | 'connection_disconnected'
  | 'client_rejected'
  | 'provider_rate_limited'
  | 'provider_unavailable'
  | 'outcome_unknown'
  | 'deaths_held'
  | 'refresh_in_progress'
  | 'reconnect_waiting'
  | 'reconnect_cancelled'
  | 'popup_blocked'
  | 'reconnected'
  | 'client_offline'
  | 'service_unreachable'
  | 'session_missing'
  | 'session_expired'
  | 'session_signed_out'
  | 'session_revoked'
  | 'session_reuse_detected'
  | 'clock_skew'
  | 'unknown'

export type BadgeStatus = 'valid' | 'expiring' | 'refreshing' | 'needs_reauth' | 'unavailable' | 'disconnected' | 'unknown'

/** A text for each plural category of the language (CLDR); `other` stands in for those that are absent. */
export type Plural = Partial<Record<Intl.LDMLPluralRule, string>> & { readonly other: string }

/**
 * Everything that the components say, in one language. Places: `{P}` provider, `{A}` account, `{B}` the other account, `{App}` application, `{T}` a time from
 * now, `{date}` and `{time}` a time, `{n}` a number, `{requestId}`, and of the application's own `{feature}`, `{scope}`, `{tenant}`, `{reason}`.
 */
export interface Labels {
  /** BCP 47: how numbers, plurals and times are written. */
  readonly locale: string
  /** What stands for names that are not known. */
  readonly provider: string
  readonly account: string
  readonly app: string
  readonly details: string
  readonly dismiss: string
  /** `{n}`: connections that need attention besides the one that is shown. */
  readonly more: Plural
  /** Name of the region that holds the messages, for screen readers. */
  readonly region: string
  readonly status: Readonly<Record<BadgeStatus, string>>
  readonly messages: Readonly<Record<MessageCode, Message>>
}
