import type { ConnectionId } from '../../core/ids.ts'
import type { ConnectionSort } from '../../core/observe/connection-search.ts'
import { parseEventQuery } from '../../core/observe/event-query.ts'
import type { StoreParts } from '../sql/store-parts.ts'
import type { TestOrganization } from './test-organization.ts'

interface Plan {
  readonly name: string
  readonly run: (store: StoreParts, world: { readonly org: TestOrganization; readonly connections: readonly ConnectionId[] }) => Promise<unknown>
}

const page = { limit: 20, cursor: null }
const by = (name: ConnectionSort['by'], down = true): ConnectionSort => ({ by: name, down })

/** What an operator waits for, on a database with many connections of which few are meant. */
export const observePlans: readonly Plan[] = [
  {
    name: 'searching a whole id',
    run: (store, { org, connections }) => store.observed.connections(org.organization, { text: connections[100] ?? '' }, by('created'), page),
  },
  {
    name: 'searching how an owner begins',
    run: (store, { org }) => store.observed.connections(org.organization, { text: 'OWNER-777' }, by('account'), page),
  },
  { name: 'searching what nobody has', run: (store, { org }) => store.observed.connections(org.organization, { text: 'nobody' }, by('next'), page) },
  { name: 'the newest connections', run: (store, { org }) => store.observed.connections(org.organization, {}, by('created'), page) },
  { name: 'the connections by account', run: (store, { org }) => store.observed.connections(org.organization, {}, by('account', false), page) },
  {
    name: 'the connections that are paused, searched',
    run: (store, { org }) => store.observed.connections(org.organization, { statuses: ['paused'] }, by('created'), page),
  },
  { name: 'the connections of a tag', run: (store, { org }) => store.observed.connections(org.organization, { tag: 'nothing' }, by('created'), page) },
  {
    name: 'the connections of a fault',
    run: (store, { org }) => store.observed.connections(org.organization, { code: 'connection_revoked' }, by('created'), page),
  },
  {
    name: 'what ends soon',
    run: (store, { org }) => store.observed.connections(org.organization, { ends: { from: 0, to: 1 } }, by('expires', false), page),
  },
  { name: 'events of a rare type', run: (store, { org }) => store.observed.events(org.organization, parseEventQuery('type:api_key.created'), page) },
  {
    name: 'events of a connection',
    run: (store, { org, connections }) => store.observed.events(org.organization, parseEventQuery(`connection:${connections[100]}`), page),
  },
  { name: 'the newest events', run: (store, { org }) => store.observed.events(org.organization, parseEventQuery(''), page) },
  {
    name: 'what changed the configuration',
    run: (store, { org }) => store.observed.eventsOfTypes(org.organization, ['integration.created', 'api_key.created'], 20),
  },
  { name: 'counting events of an hour', run: (store, { org }) => store.observed.countEvents(org.organization, ['connect.started'], 0, 1) },
  { name: 'forgetting bulk actions', run: (store) => store.observed.forgetBulks(0, 20) },
]
