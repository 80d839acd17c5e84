import { GIVEN_UP } from '../../core/refresh/lineage.ts'
import { INTENT_BECOMES_SUSPICION } from '../sql/claims.ts'
import { CLEAR_FLIGHT } from '../sql/rows.ts'

/**
 * Many claims in one statement, which is its own transaction. The connection rows are locked in order of id; the
 * conditions on the credential are checked again by the update itself after any wait. $1: a JSON array of claims.
 */
export const MERGED_CLAIM = `
with request as (
  select * from json_to_recordset($1::json)
    as r (id text, generation bigint, epoch bigint, owner text, incarnation text, intent text, lease_ms bigint, quiet_ms bigint)
), clock as materialized (
  select now_ms() as at
), locked as materialized (
  select k.state, r.* from request r join connection k on k.id = r.id order by k.id for no key update of k
), claimed as (
  update credential d set ${INTENT_BECOMES_SUSPICION},
    lease_owner = l.owner, lease_incarnation = l.incarnation, lease_epoch = d.lease_epoch + 1, lease_until = clock.at + l.lease_ms,
    intent_id = l.intent, intent_generation = d.generation, intent_at = clock.at
  from locked l, clock
  where d.connection_id = l.id and l.state in ('active', 'needs_reauth') and d.generation = l.generation and d.lease_epoch = l.epoch
    and (d.lease_until is null or d.lease_until <= clock.at)
  returning d.connection_id, d.lease_epoch, d.lease_until, d.lease_owner, d.intent_at, l.state, l.quiet_ms
), waiting as (
  update health h set leased_by = c.lease_owner, due_at = case when c.state = 'active' then c.lease_until end,
    next_attempt_at = coalesce(c.intent_at + c.quiet_ms, h.next_attempt_at)
  from claimed c where h.connection_id = c.connection_id
)
select connection_id, lease_epoch, intent_at from claimed`

/**
 * Many read marks in one statement. Rows that somebody holds are left out, because whoever waits for them in another
 * order than the holder's would be a deadlock; the caller marks them singly. $1: a JSON array of marks.
 */
export const MERGED_MARKS = `
with request as (
  select * from json_to_recordset($1::json) as r (id text, at bigint, due_at bigint)
), locked as materialized (
  select h.connection_id, k.state, r.at, r.due_at from request r join health h on h.connection_id = r.id join connection k on k.id = r.id
  for no key update of h skip locked
), marked as (
  update health h set last_read_at = greatest(coalesce(h.last_read_at, 0), l.at),
    due_at = case when l.state = 'active' and coalesce(h.due_at, l.due_at) >= l.due_at then l.due_at else h.due_at end
  from locked l where h.connection_id = l.connection_id
)
select connection_id from locked`

const piece = (name: string) => `case when l.${name}_length is not null then substring($2::bytea from l.${name}_offset for l.${name}_length) end`

/**
 * Many grants in one statement, which is its own transaction; it applies those whose generation and fingerprint are
 * still the presented ones and leaves the others to the single program. $1: a JSON array of commits. $2: all their
 * sealed bytes in one piece, because a binary parameter travels as it is. $3: who notifies.
 */
export const MERGED_GRANT = `
with request as (
  select * from json_to_recordset($1::json) as r (
    id text, organization text, intent text, generation bigint, fingerprint text, received_at bigint, http_status bigint, verdict text, body_hash text,
    body_offset int, body_length int, access_offset int, access_length int, refresh_offset int, refresh_length int, new_fingerprint text,
    token_type text, obtained_at bigint, access_expires_at bigint, refresh_expires_at bigint, soft_at bigint, hard_at bigint,
    scopes text, facts text, account text, due_at bigint, ends_at bigint, warn_at bigint,
    event_id text, event_organization text, event_type text, event_at bigint, actor_kind text, actor_id text, event_connection text, subject text, data text)
), locked as materialized (
  select k.state, k.state = 'needs_reauth' and k.fault::json ->> 'code' in (${GIVEN_UP.map((code) => `'${code}'`).join(', ')}) as given_up, r.*
  from request r join connection k on k.id = r.id order by k.id for no key update of k
), applied as (
  update credential d set generation = d.generation + 1, access_token = ${piece('access')}, refresh_token = ${piece('refresh')},
    fingerprint = l.new_fingerprint, token_type = l.token_type, obtained_at = l.obtained_at, access_expires_at = l.access_expires_at,
    refresh_expires_at = l.refresh_expires_at, soft_at = l.soft_at, hard_at = l.hard_at, ${CLEAR_FLIGHT}
  from locked l
  where d.connection_id = l.id and l.state <> 'disconnected' and l.given_up is not true and d.generation = l.generation and d.fingerprint is not distinct from l.fingerprint
  returning d.connection_id, d.generation
), done as materialized (
  select l.*, a.generation as new_generation from locked l join applied a on a.connection_id = l.id
), waiting as (
  update health h set due_at = case when l.state <> 'paused' then l.due_at end, next_attempt_at = null, failures = 0, first_failed_at = null,
    failed_intent = null, leased_by = null, last_refreshed_at = l.received_at,
    ends_at = l.ends_at, warn_at = case when h.ends_at is not distinct from l.ends_at then h.warn_at else l.warn_at end
  from done l where h.connection_id = l.id
), named as (
  update connection k set state = case when k.state = 'needs_reauth' then 'active' else k.state end, fault = null, scopes = coalesce(l.scopes, k.scopes),
    facts = case when l.facts = '{}' then k.facts else (k.facts::jsonb || l.facts::jsonb)::text end,
    account = coalesce(k.account, case when not exists (
      select 1 from connection o where o.integration_id = k.integration_id and o.owner = k.owner and o.account = l.account and o.state <> 'disconnected' and o.id <> k.id
    ) then l.account end),
    updated_at = l.received_at
  from done l
  where k.id = l.id and (k.state = 'needs_reauth' or k.fault is not null or (l.scopes is not null and l.scopes is distinct from k.scopes)
    or (l.facts <> '{}' and not (k.facts::jsonb @> l.facts::jsonb)) or (k.account is null and l.account is not null))
), kept as (
  insert into answer (intent_id, organization_id, connection_id, generation, received_at, http_status, verdict, body, body_hash, applied)
  select l.intent, l.organization, l.id, l.generation, l.received_at, l.http_status, l.verdict, ${piece('body')}, l.body_hash, 1 from done l
  on conflict (intent_id) do update set applied = 1
), told as (
  insert into event (id, organization_id, type, at, actor_kind, actor_id, connection_id, subject, data)
  select event_id, event_organization, event_type, event_at, actor_kind, actor_id, event_connection, subject, data from done
  on conflict do nothing
), summary as materialized (
  select json_agg(json_build_array(id, new_generation)) as list, json_agg(id) as ids from done
)
select list, case when ids is not null then pg_notify('evergrant', json_build_object('from', $3::text, 'connections', ids)::text) end from summary`
