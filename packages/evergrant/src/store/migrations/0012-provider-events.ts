import { type Migration, portable } from './migration.ts'

/**
 * What providers push, and what checks of connections found. Checks have a table of their own: rows of `health` belong to the
 * refresh protocol.
 */
export const providerEvents: Migration = {
  version: 12,
  name: 'provider events',
  up: portable(`
create table push_secret (
  integration_id text primary key references integration (id),
  secret $blob not null,
  secret_before $blob,
  before_until $int,
  set_at $int not null
) $strict;

create table push_notice (
  id text primary key,
  organization_id text not null references organization (id),
  integration_id text not null references integration (id),
  digest text not null,
  means text not null check (means in ('revoked', 'code', 'changed')),
  account text,
  proven $int not null,
  happened_at $int,
  received_at $int not null,
  code $blob,
  facts text not null,
  attempts $int not null,
  due_at $int,
  done_at $int
) $strict;
create unique index push_notice_digest on push_notice (integration_id, digest);
create index push_notice_due on push_notice (due_at) where due_at is not null;
create index push_notice_done on push_notice (done_at) where done_at is not null;

create table connection_check (
  connection_id text primary key references connection (id),
  checked_at $int,
  result text,
  http_status $int,
  worked_at $int,
  due_at $int
) $strict;
create index connection_check_due on connection_check (due_at) where due_at is not null;

create table check_plan (
  integration_id text primary key references integration (id),
  every_ms $int not null,
  looked_through text not null
) $strict;

create table event_key (
  event_key text primary key,
  at $int not null
) $strict;
create index event_key_age on event_key (at);

create index event_drift on event (organization_id, id) where type = 'provider.drift_detected';
`),
  down: portable(`
drop index event_drift;
drop table event_key;
drop table check_plan;
drop table connection_check;
drop table push_notice;
drop table push_secret;
`),
}
