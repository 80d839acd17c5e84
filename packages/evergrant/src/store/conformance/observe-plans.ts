import type { ConnectionId } from '../../core/ids.ts'
import type { ConnectionSort } from '../../core/observe/connection-search.ts'
import { parseEventQuery } from '../../core/observe/event-query.ts'
import type { StoreParts } from '../sql/store-parts.ts'
import type { Tenant } from './tenant.ts'

interface Plan {
  readonly name: string
  readonly run: (store: StoreParts, world: { readonly tenant: Tenant; readonly connections: readonly ConnectionId[] }) => Promise<unknown>
}

const page = { limit: 20, cursor: null }
const by = (name: ConnectionSort['by'], down = true): ConnectionSort => ({ by: name, down })

/** What an operator waits for, on a database with many connections of which few are meant. */
export const observePlans: readonly Plan[] = [
  {
    name: 'searching a whole id',
    run: (store, { tenant, connections }) => store.observed.connections(tenant.organization, { text: connections[100] ?? '' }, by('created'), page),
  },
  {
    name: 'searching how an owner begins',
    run: (store, { tenant }) => store.observed.connections(tenant.organization, { text: 'OWNER-777' }, by('account'), page),
  },
  { name: 'searching what nobody has', run: (store, { tenant }) => store.observed.connections(tenant.organization, { text: 'nobody' }, by('next'), page) },
  { name: 'the newest connections', run: (store, { tenant }) => store.observed.connections(tenant.organization, {}, by('created'), page) },
  { name: 'the connections by account', run: (store, { tenant }) => store.observed.connections(tenant.organization, {}, by('account', false), page) },
  {
    name: 'the connections that are paused, searched',
    run: (store, { tenant }) => store.observed.connections(tenant.organization, { statuses: ['paused'] }, by('created'), page),
  },
  { name: 'the connections of a tag', run: (store, { tenant }) => store.observed.connections(tenant.organization, { tag: 'nothing' }, by('created'), page) },
  {
    name: 'the connections of a fault',
    run: (store, { tenant }) => store.observed.connections(tenant.organization, { code: 'connection_revoked' }, by('created'), page),
  },
  {
    name: 'what ends soon',
    run: (store, { tenant }) => store.observed.connections(tenant.organization, { ends: { from: 0, to: 1 } }, by('expires', false), page),
  },
  { name: 'events of a rare type', run: (store, { tenant }) => store.observed.events(tenant.organization, parseEventQuery('type:api_key.created'), page) },
  {
    name: 'events of a connection',
    run: (store, { tenant, connections }) => store.observed.events(tenant.organization, parseEventQuery(`connection:${connections[100]}`), page),
  },
  { name: 'the newest events', run: (store, { tenant }) => store.observed.events(tenant.organization, parseEventQuery(''), page) },
  {
    name: 'what changed the configuration',
    run: (store, { tenant }) => store.observed.eventsOfTypes(tenant.organization, ['integration.created', 'api_key.created'], 20),
  },
  { name: 'counting events of an hour', run: (store, { tenant }) => store.observed.countEvents(tenant.organization, ['connect.started'], 0, 1) },
  { name: 'forgetting bulk actions', run: (store) => store.observed.forgetBulks(0, 20) },
]
