import { type Migration, portable } from './migration.ts'

/**
 * Keys behind access tokens, with the version that makes a change by two nodes one change; and which proofs of possession were used. Of a
 * retired key only the public half is left.
 */
export const signingKeys: Migration = {
  version: 16,
  name: 'signing keys',
  up: portable(`
create table signing_key (
  id text primary key,
  algorithm text not null,
  state text not null check (state in ('next', 'active', 'retiring', 'retired')),
  public_jwk text not null,
  private_key $blob,
  created_at $int not null,
  changed_at $int not null
) $strict;
create table signing_key_ring (
  one $int primary key check (one = 1),
  version $int not null
) $strict;
insert into signing_key_ring (one, version) values (1, 0);
create table proof_seen (
  hash text primary key,
  until $int not null
) $strict;
create index proof_seen_age on proof_seen (until);
`),
  down: portable('drop table proof_seen; drop table signing_key_ring; drop table signing_key;'),
}
