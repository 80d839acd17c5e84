import { type Migration, portable } from './migration.ts'

/** People, what they are in an organization, and their sessions. No column holds anything that could be presented. */
export const people: Migration = {
  version: 15,
  name: 'people',
  up: portable(`
create table person (
  id text primary key,
  email text unique,
  email_verified_at $int,
  name text,
  external_id text unique,
  password_hash text,
  password_changed_at $int,
  disabled_at $int,
  created_at $int not null,
  updated_at $int not null,
  version $int not null
) $strict;
create table membership (
  organization_id text not null references organization (id),
  user_id text not null references person (id) on delete cascade,
  role text not null,
  created_at $int not null,
  primary key (organization_id, user_id)
) $strict;
create index membership_of on membership (user_id, organization_id);
create index membership_owner on membership (organization_id, user_id) where role = 'owner';
create table person_identity (
  issuer text not null,
  subject text not null,
  user_id text not null references person (id) on delete cascade,
  created_at $int not null,
  primary key (issuer, subject)
) $strict;
create index person_identity_of on person_identity (user_id);
create table session (
  id text primary key,
  organization_id text not null references organization (id),
  user_id text not null references person (id) on delete cascade,
  parent_id text,
  mode text not null,
  generation $int not null,
  previous $int,
  issued_at $int not null,
  used_at $int,
  recent text not null,
  created_at $int not null,
  idle_expires_at $int not null,
  expires_at $int not null,
  revoked_at $int,
  ended text,
  methods text not null,
  authenticated_at $int not null,
  key_thumbprint text,
  user_agent text,
  address text,
  look_at $int not null
) $strict;
create index session_of on session (user_id, id);
create index session_branch on session (parent_id) where parent_id is not null;
create index session_age on session (look_at);
`),
  down: portable('drop table session; drop table person_identity; drop table membership; drop table person;'),
}
