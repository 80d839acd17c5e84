import { type Migration, portable } from './migration.ts'

const tables = portable(`
create table connection (
  id text primary key,
  organization_id text not null references organization (id),
  integration_id text not null references integration (id),
  owner text not null,
  account text,
  account_label text,
  state text not null check (state in ('active', 'needs_reauth', 'paused', 'disconnected')),
  fault text,
  metadata text not null,
  tags text not null,
  scopes text,
  variables text not null,
  facts text not null,
  consented_at $int,
  created_at $int not null,
  updated_at $int not null,
  disconnected_at $int,
  purged_at $int,
  revoke_rule text not null default 'none' check (revoke_rule in ('none', 'grant', 'token')),
  version $int not null
) $strict;
create unique index connection_account on connection (integration_id, owner, account) where state <> 'disconnected' and account is not null;
create index connection_owner on connection (organization_id, integration_id, owner, id);
create index connection_sibling on connection (integration_id, account, id) where account is not null;
create index connection_list on connection (organization_id, id);
create index connection_purge on connection (disconnected_at) where disconnected_at is not null and purged_at is null;

create table health (
  connection_id text primary key references connection (id),
  due_at $int,
  next_attempt_at $int,
  failures $int not null,
  first_failed_at $int,
  last_read_at $int,
  last_refreshed_at $int,
  failed_intent text,
  leased_by text
) $strict;
create index health_due on health (due_at) where due_at is not null;
create index health_leased on health (leased_by) where leased_by is not null;

create table credential (
  connection_id text primary key references connection (id),
  generation $int not null,
  access_token $blob,
  refresh_token $blob,
  fingerprint text,
  token_type text not null,
  obtained_at $int not null,
  access_expires_at $int,
  refresh_expires_at $int,
  soft_at $int,
  hard_at $int,
  lease_owner text,
  lease_incarnation text,
  lease_epoch $int not null,
  lease_until $int,
  intent_id text,
  intent_generation $int,
  intent_at $int,
  suspect_intent text,
  suspect_at $int,
  suspect_answered $int
) $strict;

create table answer (
  intent_id text primary key,
  organization_id text not null,
  connection_id text,
  session_id text,
  generation $int not null,
  received_at $int not null,
  http_status $int not null,
  verdict text not null,
  body $blob,
  body_hash text not null,
  applied $int not null
) $strict;
create index answer_unapplied on answer (organization_id, received_at) where applied = 0;
create index answer_of_connection on answer (connection_id) where applied = 0 and connection_id is not null;
create index answer_uncut on answer (received_at) where applied = 1 and body is not null;

create table revocation (
  id text primary key,
  organization_id text not null,
  connection_id text not null references connection (id),
  integration_id text not null,
  generation $int,
  staged_generation $int,
  staged_access_token $blob,
  staged_refresh_token $blob,
  attempts $int not null,
  due_at $int,
  done_at $int
) $strict;
create index revocation_due on revocation (due_at) where due_at is not null;
create index revocation_open on revocation (connection_id) where done_at is null;
`)

const drop = `
drop table revocation;
drop table answer;
drop table credential;
drop table health;
drop table connection;
`

/** Connections, their health, their secrets, every answer, upstream revocations. */
export const connections: Migration = {
  version: 2,
  name: 'connections',
  up: {
    sqlite: tables.sqlite,
    // Room on the page for the two updates of every refresh: the token row then needs no new index entry.
    postgres: `${tables.postgres} alter table credential set (fillfactor = 70); alter table health set (fillfactor = 70);`,
  },
  down: { sqlite: drop, postgres: drop },
}
