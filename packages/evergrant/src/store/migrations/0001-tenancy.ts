import { type Migration, portable } from './migration.ts'

const tables = portable(`
create table organization (
  id text primary key,
  name text not null,
  slug text not null unique,
  created_at $int not null
) $strict;

create table integration (
  id text primary key,
  organization_id text not null references organization (id),
  slug text not null,
  name text not null,
  provider text not null,
  client_id text not null,
  client_secret $blob,
  scopes text not null,
  variables text not null,
  settings text not null,
  blocked text,
  removed_at $int,
  created_at $int not null,
  updated_at $int not null,
  version $int not null,
  unique (organization_id, slug)
) $strict;
create index integration_list on integration (organization_id, id);

create table event (
  id text not null,
  organization_id text not null,
  type text not null,
  at $int not null,
  actor_kind text not null,
  actor_id text,
  connection_id text,
  subject text,
  data text not null,
  primary key (organization_id, id)
) $strict;
create index event_of_connection on event (connection_id, id) where connection_id is not null;
create index event_of_subject on event (subject, id) where subject is not null;

create table meta (
  name text primary key,
  value $blob not null
) $strict;
`)

const clock = `
create function now_ms() returns bigint language sql volatile as $$ select floor(extract(epoch from clock_timestamp()) * 1000)::bigint $$;
`

const drop = `
drop table meta;
drop table event;
drop table integration;
drop table organization;
`

/** Organizations, integrations, the audit trail, facts about the database. */
export const tenancy: Migration = {
  version: 1,
  name: 'tenancy',
  up: { sqlite: tables.sqlite, postgres: clock + tables.postgres },
  down: { sqlite: drop, postgres: `${drop} drop function now_ms();` },
}
