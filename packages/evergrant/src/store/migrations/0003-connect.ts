import { type Migration, portable } from './migration.ts'

/** Connect sessions. */
export const connect: Migration = {
  version: 3,
  name: 'connect',
  up: portable(`
create table connect_session (
  id text primary key,
  organization_id text not null references organization (id),
  integration_id text not null references integration (id),
  owner text not null,
  mode text not null,
  connection_id text references connection (id),
  token_hash text not null unique,
  state text not null check (state in ('open', 'started', 'exchanging', 'staged', 'completed', 'burned')),
  scopes text,
  return_url text,
  created_at $int not null,
  expires_at $int not null,
  variables text not null,
  flow_state_hash text,
  flow_browser_hash text,
  flow_secret $blob,
  flow_redirect_uri text,
  flow_issuer text,
  flow_started_at $int,
  flow_expires_at $int,
  flow_intent text,
  staged $blob,
  staged_account text,
  staged_account_label text,
  staged_code_hash text,
  staged_at $int,
  fault text,
  result text
) $strict;
create unique index connect_session_flow on connect_session (flow_state_hash) where flow_state_hash is not null;
create index connect_session_end on connect_session (expires_at);
create index connect_session_exchanging on connect_session (flow_started_at) where state = 'exchanging';
`),
  down: portable('drop table connect_session;'),
}
