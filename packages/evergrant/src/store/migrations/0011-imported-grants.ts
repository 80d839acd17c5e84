import { type Migration, portable } from './migration.ts'

/**
 * Which grants were imported. The token that came with a grant is rotated away, so the row of its connection cannot tell
 * whether a line of an import was stored already; its fingerprint, kept here, can. Never deleted.
 */
export const importedGrants: Migration = {
  version: 11,
  name: 'imported grants',
  up: portable(`
create table imported_grant (
  integration_id text not null references integration (id),
  fingerprint text not null,
  owner text not null,
  connection_id text not null references connection (id),
  imported_at $int not null,
  primary key (integration_id, fingerprint, owner)
) $strict;
`),
  down: portable('drop table imported_grant;'),
}
