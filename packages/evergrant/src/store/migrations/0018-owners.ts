import { type Migration, portable } from './migration.ts'

/** Everything of one owner is found without a look at anybody else's: their connections are read at every refresh of their session. */
const tables = portable(`
create index connection_of_owner on connection (organization_id, owner, id);
create index connect_session_of_owner on connect_session (organization_id, owner);
create index imported_grant_of_connection on imported_grant (connection_id);
create index push_notice_account on push_notice (integration_id, account) where account is not null;
create index event_session_opened on event (actor_id) where type = 'session.opened';
`)

/** Rows of sessions are purged; which events are about an owner's or a person's, only the first event of each still tells. */
const ofOwner = (owner: string): string => `create index event_of_owner on event (organization_id, (${owner})) where type = 'connect.session_created';`

const drop = `
drop index event_of_owner;
drop index event_session_opened;
drop index push_notice_account;
drop index imported_grant_of_connection;
drop index connect_session_of_owner;
drop index connection_of_owner;
`

export const owners: Migration = {
  version: 18,
  name: 'owners',
  up: { sqlite: tables.sqlite + ofOwner("data ->> 'owner'"), postgres: tables.postgres + ofOwner("data::json ->> 'owner'") },
  down: { sqlite: drop, postgres: drop },
}
