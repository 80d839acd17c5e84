import { type Migration, portable, type Words } from './migration.ts'

/** Lower case of ASCII alone, and order by bytes: both databases then agree on what begins with what. */
interface Spelling {
  readonly folded: (expression: string) => string
  readonly code: string
}

const SQLITE: Spelling = { folded: (expression) => `lower(${expression})`, code: "fault ->> 'code'" }
const POSTGRES: Spelling = { folded: (expression) => `lower((${expression}) collate "C")`, code: "fault::json ->> 'code'" }

const tables = portable(`
create table connection_tag (
  organization_id text not null,
  tag text not null,
  connection_id text not null,
  primary key (organization_id, tag, connection_id)
) $strict;
create index connection_tag_of on connection_tag (connection_id);

create index connection_tally on connection (organization_id, integration_id, state, id);
create index connection_state on connection (organization_id, state, id);
create index health_ends on health (ends_at, connection_id) where ends_at is not null;
create index event_notable on event (organization_id, type, id) where type <> 'connection.refreshed';
create index connect_session_connection on connect_session (connection_id) where connection_id is not null;
create index revocation_of on revocation (connection_id);

create table history_hour (
  organization_id text not null,
  hour $int not null,
  provider text not null,
  node text not null,
  counts text not null,
  primary key (organization_id, hour, provider, node)
) $strict;
create index history_hour_age on history_hour (hour);

create table bulk_action (
  id text primary key,
  organization_id text not null,
  action text not null,
  tag text,
  connections text not null,
  at $int not null,
  undo_until $int not null,
  undone_at $int
) $strict;
create index bulk_action_age on bulk_action (at);
`)

/** No index over what a refresh changes: searching must not make renewing dearer. */
const indexes = ({ folded, code }: Spelling): string => `
create index connection_owner_prefix on connection (organization_id, (${folded('owner')}), id);
create index connection_account_prefix on connection (organization_id, (${folded('account')}), id) where account is not null;
create index connection_shown on connection (organization_id, (${folded("coalesce(account_label, account, '')")}), id);
create index connection_fault on connection (organization_id, (${code}), id) where fault is not null;
`

/**
 * Kept by the database itself: whoever writes tags, by whatever way, is found by them. A table with triggers has its foreign keys looked at from the other side
 * with every insert, too (SQLite): what refers to `connection` needs an index on it.
 */
const tags: Words = {
  sqlite: `
insert into connection_tag (organization_id, tag, connection_id)
  select distinct k.organization_id, t.value, k.id from connection k, json_each(k.tags) t where k.tags <> '[]';
create trigger connection_tags_made after insert on connection when new.tags <> '[]' begin
  insert or ignore into connection_tag (organization_id, tag, connection_id) select new.organization_id, value, new.id from json_each(new.tags);
end;
create trigger connection_tags_changed after update of tags on connection when new.tags <> old.tags begin
  delete from connection_tag where connection_id = new.id;
  insert or ignore into connection_tag (organization_id, tag, connection_id) select new.organization_id, value, new.id from json_each(new.tags);
end;
`,
  postgres: `
insert into connection_tag (organization_id, tag, connection_id)
  select distinct k.organization_id, t.name, k.id from connection k, json_array_elements_text(k.tags::json) as t (name) where k.tags <> '[]';
create function keep_connection_tags() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' then delete from connection_tag where connection_id = new.id; end if;
  insert into connection_tag (organization_id, tag, connection_id)
    select new.organization_id, t.name, new.id from json_array_elements_text(new.tags::json) as t (name) on conflict do nothing;
  return null;
end $$;
create trigger connection_tags_made after insert on connection for each row when (new.tags <> '[]') execute function keep_connection_tags();
create trigger connection_tags_changed after update of tags on connection for each row when (new.tags <> old.tags) execute function keep_connection_tags();
`,
}

const drop = `
drop table bulk_action;
drop table history_hour;
drop index revocation_of;
drop index connect_session_connection;
drop index event_notable;
drop index health_ends;
drop index connection_fault;
drop index connection_shown;
drop index connection_account_prefix;
drop index connection_owner_prefix;
drop index connection_state;
drop index connection_tally;
drop table connection_tag;
`

/** What operators search by, the hours behind the plots, and what many connections were made at once. */
export const observe: Migration = {
  version: 21,
  name: 'observe',
  up: { sqlite: tables.sqlite + indexes(SQLITE) + tags.sqlite, postgres: tables.postgres + indexes(POSTGRES) + tags.postgres },
  down: {
    sqlite: `drop trigger connection_tags_made; drop trigger connection_tags_changed; ${drop}`,
    postgres: `drop trigger connection_tags_made on connection; drop trigger connection_tags_changed on connection; drop function keep_connection_tags(); ${drop}`,
  },
}
