import type { Organizations } from '../access/organization.ts'
import type { ConnectionDetails } from '../connection/connection-service.ts'
import type { Integrations } from '../connection/integrations.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import type { Log } from '../log.ts'
import type { Clock, Entropy } from '../time.ts'
import type { Webhooks } from '../webhook/webhooks.ts'
import type { Alerts, Channels } from './alerts.ts'
import type { MinuteOfDay } from './quiet-hours.ts'

/** What is needed to see what happened and what lasts. */
export interface WatchPorts {
  readonly alerts: Alerts
  readonly channels: Pick<Channels, 'list'>
  readonly webhooks: Pick<Webhooks, 'list' | 'failing'>
  readonly organizations: Pick<Organizations, 'list'>
  readonly integrations: Pick<Integrations, 'get'>
  /** Undefined when the connection is gone. */
  readonly details: (organization: OrganizationId, id: ConnectionId) => Promise<ConnectionDetails | undefined>
  /** Whether Evergrant itself writes to the end users of an organization. */
  readonly ownerMail: (organization: OrganizationId) => Promise<boolean>
  readonly minuteOfDay: MinuteOfDay
  /** Names this node among those that share the database. */
  readonly holder: string
  readonly clock: Clock
  readonly entropy: Entropy
  readonly log: Pick<Log, 'warn'>
}
