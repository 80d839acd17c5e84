import { type Migration, portable } from './migration.ts'

/**
 * What is past its time is found without a search. The index over cut answers is written when an answer is cut, not when it
 * comes; events need none: their key is in order of time, and how far an organization's were looked through is remembered.
 */
export const retention: Migration = {
  version: 10,
  name: 'retention',
  up: portable(`
create index answer_cut on answer (received_at) where applied = 1 and body is null;

create table event_retention (
  organization_id text primary key references organization (id),
  looked_through text not null
) $strict;
`),
  down: portable(`
drop table event_retention;
drop index answer_cut;
`),
}
