import { type Migration, portable } from './migration.ts'

/** The few connections that somebody must look at, found without reading the many that are well. */
export const attention: Migration = {
  version: 9,
  name: 'attention',
  up: portable(`
create index connection_attention on connection (organization_id, state, id) where state <> 'active';
create index health_failing on health (connection_id) where failures > 0;
create index credential_suspect on credential (connection_id) where suspect_intent is not null;
`),
  down: portable(`
drop index credential_suspect;
drop index health_failing;
drop index connection_attention;
`),
}
