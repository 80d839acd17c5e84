import type { Severity } from './rule.ts'

/** What one channel is told at once: one alert, or several together. */
export interface Message {
  readonly title: string
  readonly severity: Severity
  readonly items: readonly MessageItem[]
  /** Where all of it stands in the console. */
  readonly url: string
  /** The day before in figures, at the end of a digest. */
  readonly report?: MessageReport | null
}

export interface MessageReport {
  readonly title: string
  readonly text: string
  readonly url: string
}

export interface MessageItem {
  /** `resolved`: it is over. */
  readonly state: 'open' | 'resolved'
  readonly severity: Severity
  readonly title: string
  readonly text: string
  /** The list behind it, in the console. */
  readonly url: string
  readonly runbookUrl: string | null
}

/** Tells a channel. Rejects with {@link ChannelError}. */
export type TellChannel = (address: ChannelAddress, message: Message) => Promise<void>

/** An opened channel. */
export type ChannelAddress =
  | { readonly kind: 'slack'; readonly url: string }
  | { readonly kind: 'email'; readonly to: readonly string[] }
  | { readonly kind: 'push'; readonly subscription: PushSubscriptionKeys }

/** What a browser gives (Push API, RFC 8030 and 8291): all of it is secret. */
export interface PushSubscriptionKeys {
  readonly endpoint: string
  readonly keys: { readonly p256dh: string; readonly auth: string }
}

/** Why a channel did not take a message. `gone`: it never will again. */
export class ChannelError extends Error {
  override readonly name = 'ChannelError'
  readonly gone: boolean
  readonly retryAfterMs: number | null
  /** `reason`: a stable code or an HTTP status, never an address. */
  constructor(reason: string, gone = false, retryAfterMs: number | null = null) {
    super(reason)
    this.gone = gone
    this.retryAfterMs = retryAfterMs
  }
}
