import { type Migration, portable } from './migration.ts'

/** Programs: agents, their enrolled installations, and what is known of them. No column holds anything that could be presented. */
export const agents: Migration = {
  version: 19,
  name: 'agents',
  up: portable(`
create table agent (
  id text primary key,
  organization_id text not null references organization (id),
  owner_id text not null,
  name text not null,
  description text,
  status text not null,
  proven_at $int,
  accepted_at $int,
  accepted_by text,
  policy text not null,
  policy_record text not null,
  suspended_by text,
  recovery text not null,
  reviewed_at $int,
  reviewed_by text,
  created_at $int not null,
  updated_at $int not null,
  version $int not null,
  trust_due_at $int not null default 0
) $strict;
create unique index agent_name on agent (organization_id, name) where status <> 'revoked';
create index agent_of on agent (organization_id, id);
create index agent_of_owner on agent (owner_id, id);
create index agent_trust_due on agent (trust_due_at) where status <> 'revoked';
create table agent_settings (
  organization_id text primary key references organization (id),
  settings text not null,
  updated_at $int not null
) $strict;
create table installation (
  id text primary key,
  organization_id text not null references organization (id),
  agent_id text not null references agent (id) on delete cascade,
  name text not null,
  status text not null,
  key_thumbprint text not null,
  public_jwk text not null,
  key_created_at $int not null,
  previous_thumbprints text not null,
  custody text not null,
  enrolled_via text not null,
  generation $int not null,
  floor_generation $int not null,
  head_id text not null,
  recovery_mode text,
  recoveries text not null,
  last_recovery_at $int,
  reissues text not null,
  cooldown_until $int,
  cooldown_ms $int not null,
  min_generation $int not null,
  lock text,
  stopped_by text,
  workload_issuer_id text,
  workload_subject text,
  rekey_until $int,
  hints text not null,
  last_seen_at $int,
  last_refreshed_at $int,
  address text,
  user_agent text,
  expires_at $int,
  created_at $int not null
) $strict;
create index installation_of on installation (organization_id, id);
create index installation_of_agent on installation (agent_id, id);
create index installation_key on installation (key_thumbprint);
create index installation_ended on installation (expires_at) where enrolled_via = 'workload' and expires_at is not null;
create index installation_workload on installation (agent_id, workload_subject) where workload_subject is not null;
create index installation_healed on installation (organization_id, last_recovery_at) where last_recovery_at is not null;
create table sdk_token (
  id text primary key,
  installation_id text not null references installation (id) on delete cascade,
  family text not null,
  parent_id text,
  generation $int not null,
  attempt text not null,
  state text not null,
  revoke_class text,
  revoke_reason text,
  revoked_by text,
  revoked_at $int,
  ticket $int not null,
  key_thumbprint text not null,
  created_at $int not null,
  activated_at $int,
  superseded_at $int,
  expires_at $int not null,
  address text,
  user_agent text,
  metadata text not null
) $strict;
create unique index sdk_token_lineage on sdk_token (installation_id, generation, attempt);
create index sdk_token_attempt on sdk_token (installation_id, attempt);
create index sdk_token_end on sdk_token (expires_at) where state = 'active' and ticket = 0;
create index sdk_token_age on sdk_token (superseded_at) where superseded_at is not null;
create table recovery_attempt (
  id text primary key,
  organization_id text not null,
  installation_id text not null references installation (id) on delete cascade,
  at $int not null,
  outcome text not null,
  code text,
  counted $int not null,
  token_id text,
  new_token_id text,
  reason text not null,
  key_thumbprint text not null,
  address text,
  user_agent text,
  request_id text not null
) $strict;
create index recovery_attempt_of on recovery_attempt (installation_id, at);
create index recovery_attempt_age on recovery_attempt (at);
create index recovery_attempt_counted on recovery_attempt (organization_id, at) where counted = 1;
create table agent_approval (
  id text primary key,
  organization_id text not null,
  kind text not null,
  agent_id text not null references agent (id) on delete cascade,
  installation_id text not null references installation (id) on delete cascade,
  connection_id text,
  attempt text,
  status text not null,
  shown text not null,
  asked_at $int not null,
  decided_at $int,
  decided_by text,
  expires_at $int not null
) $strict;
create index agent_approval_of on agent_approval (organization_id, status, id);
create index agent_approval_all on agent_approval (organization_id, id);
create index agent_approval_use on agent_approval (installation_id, connection_id);
create index agent_approval_age on agent_approval (expires_at);
create table enrolment (
  id text primary key,
  hash text not null unique,
  door text not null,
  organization_id text,
  agent_id text references agent (id) on delete cascade,
  name text,
  user_code text unique,
  status text not null,
  asked text not null,
  created_by text not null,
  created_at $int not null,
  expires_at $int not null,
  next_poll_at $int,
  interval_ms $int not null,
  used_by text,
  used_attempt text,
  installation_id text
) $strict;
create index enrolment_of on enrolment (agent_id, status);
create index enrolment_age on enrolment (expires_at);
create table workload_issuer (
  id text primary key,
  organization_id text not null references organization (id),
  agent_id text not null references agent (id) on delete cascade,
  name text not null,
  issuer text not null,
  audience text not null,
  conditions text not null,
  installation_life_ms $int not null,
  created_at $int not null
) $strict;
create index workload_issuer_of on workload_issuer (agent_id, id);
create index workload_issuer_named on workload_issuer (issuer);
create table connection_use (
  organization_id text not null,
  connection_id text not null,
  actor_kind text not null,
  actor_id text not null,
  access text not null,
  minute $int not null,
  count $int not null,
  primary key (connection_id, minute, actor_id, access, actor_kind)
) $strict;
create index connection_use_actor on connection_use (actor_id, minute);
create index connection_use_age on connection_use (minute);
create table installation_day (
  installation_id text not null references installation (id) on delete cascade,
  agent_id text not null,
  day $int not null,
  requests $int not null,
  bound $int not null,
  rotations $int not null,
  rotations_on_time $int not null,
  proof_failures $int not null,
  refused_uses $int not null,
  primary key (installation_id, day)
) $strict;
create index installation_day_of on installation_day (agent_id, day);
create index installation_day_age on installation_day (day);
create table incident (
  id text primary key,
  organization_id text not null,
  agent_id text not null references agent (id) on delete cascade,
  installation_id text,
  kind text not null,
  at $int not null,
  message text not null,
  event_id text not null,
  closed_at $int,
  closed_by text,
  note text
) $strict;
create index incident_of on incident (agent_id, at);
create index incident_page on incident (agent_id, id);
create table trust_snapshot (
  agent_id text not null references agent (id) on delete cascade,
  at $int not null,
  policy_version $int not null,
  facts text not null,
  result text not null,
  primary key (agent_id, at)
) $strict;
create index trust_snapshot_age on trust_snapshot (at);
`),
  down: portable(
    'drop table trust_snapshot; drop table incident; drop table installation_day; drop table connection_use; drop table workload_issuer; drop table enrolment; drop table agent_approval; drop table recovery_attempt; drop table sdk_token; drop table installation; drop table agent_settings; drop table agent;',
  ),
}
