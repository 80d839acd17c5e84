import type { Uses } from '../agent/uses.ts'
import type { Events } from '../audit/events.ts'
import type { ConnectionService } from '../connection/connection-service.ts'
import type { Page, PageRequest } from '../connection/connections.ts'
import type { ConnectionId, OrganizationId } from '../ids.ts'
import { type Clock, DAY, type Instant } from '../time.ts'
import { type TimelineItem, timelineOf } from './timeline.ts'
import { type Why, whyOf } from './why.ts'

const EVENTS_READ = 100
const USES_READ = 1_000
const USES_BACK_MS = 90 * DAY

interface StoryPorts {
  readonly connections: Pick<ConnectionService, 'get'>
  readonly events: Pick<Events, 'list'>
  readonly uses: Pick<Uses, 'ofConnection'>
  readonly clock: Pick<Clock, 'wall'>
}

/** What became of one connection, and why. */
export class StoryService {
  readonly #ports: StoryPorts

  constructor(ports: StoryPorts) {
    this.#ports = ports
  }

  /** @throws Fault `not_found` */
  async why(organization: OrganizationId, id: ConnectionId): Promise<{ readonly why: Why; readonly status: string }> {
    const { connections, events, clock } = this.#ports
    const details = await connections.get(organization, id)
    const { items } = await events.list(organization, { connection: id }, { limit: EVENTS_READ, cursor: null })
    return { why: whyOf(details, items, clock.wall()), status: details.status }
  }

  /** Newest first. `newer`: when the last item of the page before happened. @throws Fault `not_found` */
  async timeline(organization: OrganizationId, id: ConnectionId, page: PageRequest, newer: Instant | null): Promise<Page<TimelineItem>> {
    const { connections, events, uses, clock } = this.#ports
    await connections.get(organization, id)
    const found = await events.list(organization, { connection: id }, page)
    const older = found.cursor === null ? null : (found.items.at(-1)?.at ?? null)
    const used = await uses.ofConnection(organization, id, older ?? clock.wall() - USES_BACK_MS, USES_READ)
    return { items: timelineOf(found.items, used, newer, older), cursor: found.cursor }
  }
}
