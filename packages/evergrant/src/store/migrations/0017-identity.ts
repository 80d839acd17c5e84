import { type Migration, portable } from './migration.ts'

/** How people prove who they are: single-use tickets, second factors, and the counts that slow guessing down. */
export const identity: Migration = {
  version: 17,
  name: 'identity',
  up: portable(`
create table ticket (
  hash text primary key,
  purpose text not null,
  user_id text references person (id) on delete cascade,
  organization_id text references organization (id),
  data text not null,
  attempts $int not null,
  created_at $int not null,
  expires_at $int not null,
  spent_at $int
) $strict;
create index ticket_of on ticket (user_id, purpose) where user_id is not null;
create index ticket_open on ticket (purpose, organization_id) where spent_at is null and purpose in ('invitation', 'setup');
create index ticket_age on ticket (expires_at);

create table factor (
  id text primary key,
  user_id text not null references person (id) on delete cascade,
  kind text not null check (kind in ('totp', 'passkey')),
  name text not null,
  secret $blob,
  last_step $int,
  credential_id text unique,
  public_key $blob,
  sign_count $int not null,
  transports text not null,
  created_at $int not null,
  confirmed_at $int,
  last_used_at $int
) $strict;
create index factor_of on factor (user_id, id);
create index factor_unconfirmed on factor (created_at) where confirmed_at is null;

create table recovery_code (
  user_id text not null references person (id) on delete cascade,
  hash text not null,
  spent_at $int,
  primary key (user_id, hash)
) $strict;

create table throttle (
  name text primary key,
  attempts $int not null,
  since $int not null,
  until_at $int not null
) $strict;
create index throttle_age on throttle (since);
`),
  down: portable('drop table throttle; drop table recovery_code; drop table factor; drop table ticket;'),
}
