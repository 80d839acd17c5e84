import { type Migration, portable } from './migration.ts'

/** Which database this is, whether it went back in time, and which grants are older in it than they have to be. */
export const lineage: Migration = {
  version: 8,
  name: 'lineage',
  up: portable(`
create table lineage (
  one $int primary key check (one = 1),
  instance text not null,
  home_id text,
  home_name text,
  home_timeline $int,
  era $int not null,
  era_at $int not null,
  trusted text not null check (trusted in ('trusted', 'restored', 'cloned')),
  since $int,
  reason text
) $strict;

create table high_water_tick (
  node_id text primary key,
  tick $int not null,
  at $int not null,
  compared_era $int
) $strict;

create table behind_grant (
  node_id text not null,
  connection_id text not null,
  marked $int not null,
  stored $int,
  ended $int not null default 0,
  primary key (connection_id, node_id)
) $strict;
create index behind_grant_of_node on behind_grant (node_id);
`),
  down: portable(`
drop table behind_grant;
drop table high_water_tick;
drop table lineage;
`),
}
