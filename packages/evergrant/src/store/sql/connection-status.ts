/** The rule of `core/connection/status.ts`, in SQL; the conformance suite holds the two together. `k` connection, `h` health, `d` credential, `i` integration. */
export const STATUS = `case
  when k.state <> 'active' then k.state
  when i.blocked is not null then 'blocked'
  when (h.failures > 0 or d.suspect_intent is not null) and d.access_expires_at is not null and d.access_expires_at <= (select now_ms()) then 'degraded'
  else 'active' end`

/** The few that are in some trouble. A cross join keeps its order on SQLite: these come first, and the others are looked up. */
export const TROUBLED = `(select connection_id from health where failures > 0 union select connection_id from credential where suspect_intent is not null) few
  cross join connection k cross join health h cross join credential d cross join integration i`
export const IN_TROUBLE = 'k.id = few.connection_id and h.connection_id = few.connection_id and d.connection_id = few.connection_id and i.id = k.integration_id'
