import { type Migration, portable } from './migration.ts'

/** Which processes serve this database; and the leases of one of them, a page at a time. */
export const nodes: Migration = {
  version: 5,
  name: 'nodes',
  up: portable(`
create table node (
  id text primary key,
  incarnation text not null,
  started_at $int not null,
  heartbeat_at $int not null,
  draining $int not null
) $strict;
drop index health_leased;
create index health_leased on health (leased_by, connection_id) where leased_by is not null;
`),
  down: portable(`
drop index health_leased;
create index health_leased on health (leased_by) where leased_by is not null;
drop table node;
`),
}
