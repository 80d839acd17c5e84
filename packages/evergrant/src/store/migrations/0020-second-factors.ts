import { type Migration, portable } from './migration.ts'

/** Whom an organization asks for a second factor, and whose word a session rests on. */
export const secondFactors: Migration = {
  version: 20,
  name: 'second factors',
  up: portable(`
alter table organization add column require_second_factor text not null default '[]';
alter table session add column issuer text;
`),
  down: portable('alter table session drop column issuer; alter table organization drop column require_second_factor;'),
}
