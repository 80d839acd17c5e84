import { type OpenAlerts, WORKLOAD_MOST, type Workload } from '../../core/operate/operations.ts'
import { type Program, row, rows } from './program.ts'
import { integer, integerOrNull, text } from './rows.ts'

/** Each is found by its own index, and none is counted further than it says anything. */
const COUNTS = {
  due: 'health where due_at <= (select now_ms())',
  parked: 'parked',
  leased: 'health where leased_by is not null',
  suspect: 'credential where suspect_intent is not null',
  revocations: 'revocation where due_at is not null',
  deliveries: 'delivery where next_at is not null',
  notices: 'notice where next_at is not null',
  letters: 'owner_letter where next_at is not null',
}
type Counted = keyof typeof COUNTS

/** One statement, so that a scrape is one visit. */
function workloadQuery(): string {
  const columns = Object.entries(COUNTS).map(
    ([name, where]) => `(select count(*) from (select 1 as one from ${where} limit ${WORKLOAD_MOST}) q_${name}) as ${name}`,
  )
  return `select ${columns.join(', ')}, (select min(due_at) from health where due_at is not null) as next_due, (select now_ms()) as now`
}

export function* workload(): Program<Workload> {
  const found = (yield* row(workloadQuery())) ?? {}
  const count = (name: Counted) => integer(found, name)
  const next = integerOrNull(found, 'next_due')
  const open = yield* rows('select kind, severity, count(*) as open from alert where resolved_at is null group by kind, severity order by kind, severity')
  const alerts: OpenAlerts[] = open.map((alert) => ({ kind: text(alert, 'kind'), severity: text(alert, 'severity'), open: integer(alert, 'open') }))
  return {
    due: count('due'),
    oldestDueAt: next !== null && next <= integer(found, 'now') ? next : null,
    parked: count('parked'),
    leased: count('leased'),
    suspect: count('suspect'),
    revocations: count('revocations'),
    deliveries: count('deliveries'),
    notices: count('notices'),
    letters: count('letters'),
    alerts,
  }
}
