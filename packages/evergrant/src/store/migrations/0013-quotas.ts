import { type Migration, portable } from './migration.ts'

/** What is left of providers' quotas, so that all nodes know it. `scope` is a connection, or empty: everybody's. */
export const quotas: Migration = {
  version: 13,
  name: 'quotas',
  up: portable(`
create table quota (
  integration_id text not null references integration (id),
  scope text not null,
  name text not null,
  quota_limit $int,
  remaining $int not null,
  resets_at $int not null,
  observed_at $int not null,
  primary key (integration_id, scope, name)
) $strict;
create index quota_over on quota (resets_at) where scope <> '';
`),
  down: portable(`
drop table quota;
`),
}
