import { type Migration, portable } from './migration.ts'

/** Recent deaths per integration, whether they are held, and due connections that wait for a closed integration. */
export const deathWatch: Migration = {
  version: 6,
  name: 'death watch',
  up: portable(`
create table death_watch (
  integration_id text primary key references integration (id),
  held_at $int,
  deaths $int,
  refreshes $int,
  agreements $int not null default 0,
  agreed_at $int,
  decision text check (decision in ('confirm', 'release')),
  trusted_until $int,
  probe_at $int
) $strict;
create index death_watch_probe on death_watch (probe_at) where probe_at is not null;

create table death (
  connection_id text primary key references connection (id),
  organization_id text not null,
  integration_id text not null,
  generation $int not null,
  at $int not null,
  counts $int not null,
  held $int not null,
  probed_at $int not null,
  fault text not null
) $strict;
create index death_of_integration on death (integration_id, held, probed_at);

create table parked (
  connection_id text primary key references connection (id),
  integration_id text not null,
  rank $int not null
) $strict;
create index parked_rank on parked (integration_id, rank);
`),
  down: portable(`
update health set due_at = 0 where connection_id in (select connection_id from parked union select connection_id from death where held = 1);
update connection set fault = null where state in ('active', 'paused') and id in (select connection_id from death where held = 1);
drop table parked;
drop table death;
drop table death_watch;
`),
}
