import { type Migration, portable } from './migration.ts'

const tables = portable(`
create table event_outbox (
  organization_id text not null,
  event_id text not null,
  primary key (organization_id, event_id)
) $strict;
create index event_outbox_order on event_outbox (event_id);

create table chore_lease (
  name text primary key,
  holder text not null,
  until $int not null
) $strict;

create table webhook (
  id text primary key,
  organization_id text not null references organization (id),
  name text not null,
  url text not null,
  types text not null,
  secret $blob not null,
  previous_secret $blob,
  previous_until $int,
  enabled $int not null,
  failures $int not null,
  failing_since $int,
  open_until $int,
  last_delivered_at $int,
  claimed_at $int not null default 0,
  created_at $int not null,
  updated_at $int not null,
  version $int not null
) $strict;
create index webhook_of on webhook (organization_id, id);
create table delivery (
  id text primary key,
  organization_id text not null,
  webhook_id text not null references webhook (id) on delete cascade,
  event_id text not null,
  type text not null,
  state text not null check (state in ('waiting', 'delivered', 'failed')),
  attempts $int not null,
  next_at $int,
  created_at $int not null,
  expires_at $int not null,
  finished_at $int
) $strict;
create unique index delivery_once on delivery (webhook_id, event_id);
create index delivery_of on delivery (webhook_id, id);
create index delivery_due on delivery (webhook_id, next_at) where next_at is not null;
create index delivery_end on delivery (expires_at) where next_at is not null;
create index delivery_age on delivery (finished_at) where finished_at is not null;
create table delivery_try (
  delivery_id text not null references delivery (id) on delete cascade,
  at $int not null,
  status $int,
  duration_ms $int not null,
  error text,
  excerpt text
) $strict;
create index delivery_try_of on delivery_try (delivery_id, at);

create table alert_rule (
  organization_id text not null references organization (id),
  kind text not null,
  rule text not null,
  primary key (organization_id, kind)
) $strict;
create table alert (
  id text primary key,
  organization_id text not null references organization (id),
  kind text not null,
  cause_key text not null,
  severity text not null,
  about text not null,
  subject text,
  count $int not null,
  total $int not null,
  opened_at $int not null,
  last_at $int not null,
  resolved_at $int,
  resolved_by text,
  acknowledged_at $int,
  acknowledged_by text,
  snoozed_until $int,
  told_at $int,
  told_total $int not null,
  version $int not null
) $strict;
create unique index alert_cause on alert (organization_id, cause_key) where resolved_at is null;
create index alert_of on alert (organization_id, id);
create index alert_open on alert (organization_id, id) where resolved_at is null;
create index alert_age on alert (resolved_at) where resolved_at is not null;
create table alert_item (
  alert_id text not null references alert (id) on delete cascade,
  subject text not null,
  organization_id text not null,
  kind text not null,
  connection_id text,
  at $int not null,
  resolved_at $int,
  primary key (alert_id, subject)
) $strict;
create index alert_item_open on alert_item (organization_id, subject) where resolved_at is null;

create table channel (
  id text primary key,
  organization_id text not null references organization (id),
  kind text not null,
  name text not null,
  enabled $int not null,
  sealed $blob,
  recipients text not null,
  digest $int not null,
  webhook_id text,
  host text,
  quiet text,
  last_sent_at $int,
  last_error text,
  created_at $int not null,
  updated_at $int not null,
  version $int not null
) $strict;
create index channel_of on channel (organization_id, id);
create table notice (
  id text primary key,
  organization_id text not null,
  channel_id text not null references channel (id) on delete cascade,
  alert_id text not null references alert (id) on delete cascade,
  reason text not null,
  state text not null,
  attempts $int not null,
  next_at $int,
  created_at $int not null
) $strict;
create index notice_due on notice (next_at) where next_at is not null;
create index notice_of_alert on notice (alert_id);
create index notice_of_channel on notice (channel_id);
create table owner_letter (
  id text primary key,
  organization_id text not null,
  connection_id text not null,
  why text not null,
  cause text not null,
  state text not null,
  attempts $int not null,
  next_at $int,
  created_at $int not null
) $strict;
create unique index owner_letter_once on owner_letter (connection_id, cause);
create index owner_letter_due on owner_letter (next_at) where next_at is not null;
create index owner_letter_age on owner_letter (created_at);
`)

/** Routine refreshes are most of all events, and nobody is told of them: they cost nothing here. */
const triggers = {
  sqlite: `
create trigger event_noted after insert on event when new.type <> 'connection.refreshed'
begin insert into event_outbox (organization_id, event_id) values (new.organization_id, new.id); end;
`,
  postgres: `
create function note_event() returns trigger language plpgsql as $$
begin insert into event_outbox (organization_id, event_id) values (new.organization_id, new.id); return null; end $$;
create trigger event_noted after insert on event for each row when (new.type <> 'connection.refreshed') execute function note_event();
`,
}

const drop =
  'drop table owner_letter; drop table notice; drop table channel; drop table alert_item; drop table alert; drop table alert_rule; drop table delivery_try; drop table delivery; drop table webhook; drop table chore_lease; drop table event_outbox;'

/**
 * Alerts, channels, webhooks. A trigger notes every event that somebody may be told of, in the transaction that writes the
 * event, whoever writes it and in whatever statement.
 */
export const alerts: Migration = {
  version: 22,
  name: 'alerts',
  up: { sqlite: tables.sqlite + triggers.sqlite, postgres: tables.postgres + triggers.postgres },
  down: { sqlite: `drop trigger event_noted; ${drop}`, postgres: `drop trigger event_noted on event; drop function note_event(); ${drop}` },
}
