import { type Migration, portable } from './migration.ts'

/** API keys and repeated requests. */
export const access: Migration = {
  version: 4,
  name: 'access',
  up: portable(`
create table api_key (
  id text primary key,
  organization_id text not null references organization (id),
  name text not null,
  hint text not null,
  hash text not null unique,
  scopes text not null,
  created_at $int not null,
  last_used_at $int,
  expires_at $int,
  revoked_at $int,
  replaces text
) $strict;
create index api_key_list on api_key (organization_id, id);

create table idempotency_key (
  organization_id text not null,
  key text not null,
  request_hash text not null,
  at $int not null,
  status $int,
  body $blob,
  primary key (organization_id, key)
) $strict;
create index idempotency_key_age on idempotency_key (at);
`),
  down: portable('drop table idempotency_key; drop table api_key;'),
}
