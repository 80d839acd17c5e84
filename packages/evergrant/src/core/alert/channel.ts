import type { ChannelId, OrganizationId, WebhookId } from '../ids.ts'
import type { Instant } from '../time.ts'
import type { QuietHours } from './quiet-hours.ts'

export const CHANNEL_KINDS = ['slack', 'email', 'push', 'webhook'] as const
export type ChannelKind = (typeof CHANNEL_KINDS)[number]

/** Where operators are told. What gives access to it is sealed; the rest says to people which one it is. */
export interface Channel {
  readonly id: ChannelId
  readonly organization: OrganizationId
  readonly kind: ChannelKind
  readonly name: string
  readonly enabled: boolean
  /** Slack: the address of the incoming webhook. Push: the subscription, as JSON. Null for the others. */
  readonly sealed: Uint8Array | null
  /** Mail: recipients. */
  readonly to: readonly string[]
  /** Mail: one a day, at {@link digestMinute}, instead of one for each alert. */
  readonly digest: boolean
  /** Mail with a digest: the letter comes every day, also when nothing is wrong. */
  readonly whenWell: boolean
  /** Webhook: the endpoint that hears of alerts whatever its types are. */
  readonly webhook: WebhookId | null
  /** Host of what is sealed, for people. */
  readonly host: string | null
  readonly quiet: QuietHours | null
  readonly lastSentAt: Instant | null
  /** Why the latest word was not taken; null after one that was. */
  readonly lastError: string | null
  readonly createdAt: Instant
  readonly updatedAt: Instant
  readonly version: number
}

/** Where what is secret of a channel is sealed. */
export function channelContext({ organization, id }: Pick<Channel, 'organization' | 'id'>) {
  return { organization, table: 'channel', row: id, column: 'sealed' }
}
