import { type Migration, portable } from './migration.ts'

/** Which master keys each node has, and sealing everything anew with another one. A version that knows neither leaves both alone. */
export const keys: Migration = {
  version: 25,
  name: 'keys',
  up: portable(`
alter table node add column keyring text;
create table reseal (
  key_id text primary key,
  organization_id text not null references organization (id),
  started_by text not null,
  started_at $int not null,
  total $int,
  done $int not null,
  unopened $int not null,
  touched $int not null,
  place text,
  holder text,
  held_until $int not null,
  finished_at $int
) $strict;
`),
  down: portable('drop table reseal; alter table node drop column keyring;'),
}
