import { type Migration, portable } from './migration.ts'

/** Looks at everything that was due at once, while somebody watches. */
export const sweeps: Migration = {
  version: 24,
  name: 'sweeps',
  up: portable(`
create table sweep (
  id text primary key,
  organization_id text not null references organization (id),
  started_by text not null,
  started_at $int not null,
  due $int not null,
  progress text not null,
  finished_at $int
) $strict;
create index sweep_of on sweep (organization_id, id);
create index sweep_open on sweep (id) where finished_at is null;
create index sweep_age on sweep (finished_at) where finished_at is not null;
`),
  down: portable('drop table sweep;'),
}
