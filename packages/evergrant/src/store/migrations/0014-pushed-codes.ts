import { type Migration, portable } from './migration.ts'

/** Authorization codes that came in a push, until the browser that asked for them comes back. */
export const pushedCodes: Migration = {
  version: 14,
  name: 'pushed codes',
  up: portable(`
create table pushed_code (
  integration_id text not null references integration (id),
  code_key text not null,
  code $blob not null,
  facts text not null,
  received_at $int not null,
  until_at $int not null,
  primary key (integration_id, code_key)
) $strict;
create index pushed_code_until on pushed_code (until_at);
`),
  down: portable(`
drop table pushed_code;
`),
}
