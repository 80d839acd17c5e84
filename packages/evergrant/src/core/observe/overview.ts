import type { ConnectionStatus } from '../connection/connection.ts'
import type { Integration } from '../connection/integration.ts'
import { FAULTS } from '../fault/table.ts'
import { fillWords } from '../fault/words.ts'
import type { IntegrationId } from '../ids.ts'
import { HOUR, type Instant } from '../time.ts'
import type { HistoryRow, TallyCell } from './observed.ts'

export interface Counts {
  readonly total: number
  readonly healthy: number
  readonly needsOwner: number
  /** We still hope: they wait for a provider. */
  readonly waiting: number
  readonly blocked: number
  readonly paused: number
  readonly disconnected: number
}

/** Connections that are broken for one and the same cause. */
export interface Cause {
  readonly status: ConnectionStatus
  readonly provider: string
  readonly integration: string
  readonly code: string | null
  readonly title: string
  readonly operatorText: string
  /** Whether the provider lets a link that is sent to the owner repair them. */
  readonly linkRepairs: boolean
  readonly connections: number
  readonly since: Instant | null
}

export interface Weather {
  readonly provider: string
  readonly name: string
  /** Token requests of the last 24 hours, and those of them that failed for another reason than the grant's end. */
  readonly requests: number
  readonly failures: number
  readonly breaker: 'closed' | 'open'
  readonly openSince: Instant | null
  /** Share that went well, hour by hour, the oldest first; null where nothing was asked. */
  readonly spark: readonly (number | null)[]
}

const SPARK_HOURS = 24
const CAUSES_SHOWN = 50
const BROKEN: readonly ConnectionStatus[] = ['needs_reauth', 'blocked', 'degraded']

export function countsOf(cells: readonly TallyCell[]): Counts {
  const of = (...statuses: readonly ConnectionStatus[]) =>
    cells.filter(({ status }) => statuses.includes(status)).reduce((sum, cell) => sum + cell.connections, 0)
  return {
    total: of('active', 'degraded', 'needs_reauth', 'blocked', 'paused'),
    healthy: of('active'),
    needsOwner: of('needs_reauth'),
    waiting: of('degraded'),
    blocked: of('blocked'),
    paused: of('paused'),
    disconnected: of('disconnected'),
  }
}

/** One sentence of truth: how many work, and whom the others wait for. */
export function sentenceOf(counts: Counts, causes: readonly Cause[]): string {
  const { total, healthy, needsOwner, waiting, blocked, paused } = counts
  if (total === 0) return 'There are no connections yet.'
  const alone = (status: ConnectionStatus, many: string): string => {
    const names = [...new Set(causes.filter((cause) => cause.status === status).map(({ provider }) => provider))]
    return names.length === 1 ? (names[0] ?? many) : many
  }
  const parts = [
    ...(needsOwner > 0 ? [needsOwner === 1 ? '1 needs its owner' : `${count(needsOwner)} need their owners`] : []),
    ...(blocked > 0 ? [`${count(blocked)} ${verb(blocked, 'waits', 'wait')} for you to mend ${alone('blocked', 'their integrations')}`] : []),
    ...(waiting > 0 ? [`${count(waiting)} ${verb(waiting, 'waits', 'wait')} for ${alone('degraded', 'their providers')}`] : []),
    ...(paused > 0 ? [`${count(paused)} ${verb(paused, 'is', 'are')} paused`] : []),
  ]
  if (parts.length === 0) return total === 1 ? 'The one connection is healthy.' : `All ${count(total)} connections are healthy.`
  const first = `${count(healthy)} of ${count(total)} connections ${verb(healthy, 'is', 'are')} healthy.`
  const last = parts.pop() ?? ''
  return `${first} ${parts.length === 0 ? last : `${parts.join(', ')} and ${last}`}.`
}

const count = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ',')
const verb = (value: number, one: string, many: string): string => (value === 1 ? one : many)

/** What needs somebody, by cause: those with the most connections first within a status. */
export function causesOf(
  cells: readonly TallyCell[],
  integrations: ReadonlyMap<IntegrationId, Integration>,
  factsOf: (integration: Integration) => Pick<Cause, 'provider' | 'linkRepairs'>,
): readonly Cause[] {
  const causes = cells.flatMap(({ integration: id, status, code, connections, since }) => {
    const integration = integrations.get(id)
    if (integration === undefined || !BROKEN.includes(status)) return []
    const facts = factsOf(integration)
    return [{ status, ...facts, integration: integration.slug, code, ...wordsOf(code, facts), connections, since }]
  })
  return causes.sort((left, right) => BROKEN.indexOf(left.status) - BROKEN.indexOf(right.status) || right.connections - left.connections).slice(0, CAUSES_SHOWN)
}

function wordsOf(code: string | null, words: { readonly provider: string; readonly account?: string | null }) {
  const fault = code !== null && isCode(code) ? FAULTS[code] : undefined
  if (fault === undefined) return { title: 'An earlier refresh has not gone well yet', operatorText: 'It is tried again by itself; its timeline says when.' }
  return { title: fillWords(fault.title, words), operatorText: fillWords(fault.operator, words) }
}

function isCode(code: string): code is keyof typeof FAULTS {
  return Object.hasOwn(FAULTS, code)
}

/** Providers that were asked in the last 24 hours, or that are held up now. */
export function weatherOf(
  rows: readonly HistoryRow[],
  now: Instant,
  open: ReadonlyMap<string, Instant>,
  nameOf: (provider: string) => string,
): readonly Weather[] {
  const first = Math.floor(now / HOUR) * HOUR - (SPARK_HOURS - 1) * HOUR
  const hours = new Map<string, { readonly ok: number[]; readonly all: number[]; readonly failed: number[] }>()
  const of = (provider: string) => {
    const known = hours.get(provider) ?? { ok: zeros(), all: zeros(), failed: zeros() }
    hours.set(provider, known)
    return known
  }
  for (const provider of open.keys()) of(provider)
  for (const { provider, hour, counts } of rows) {
    const place = (hour - first) / HOUR
    const ok = counts.refreshes_ok ?? 0
    const dead = counts.refreshes_dead ?? 0
    const failed = (counts.refreshes_transient ?? 0) + (counts.refreshes_unknown ?? 0)
    if (provider === '' || place < 0 || place >= SPARK_HOURS || ok + dead + failed === 0) continue
    const { ok: oks, all, failed: fails } = of(provider)
    // The end of a grant is an answer of a provider that works.
    oks[place] = (oks[place] ?? 0) + ok + dead
    fails[place] = (fails[place] ?? 0) + failed
    all[place] = (all[place] ?? 0) + ok + dead + failed
  }
  return [...hours]
    .map(([provider, { ok, all, failed }]) => ({
      provider,
      name: nameOf(provider),
      requests: sum(all),
      failures: sum(failed),
      breaker: open.has(provider) ? ('open' as const) : ('closed' as const),
      openSince: open.get(provider) ?? null,
      spark: all.map((total, hour) => (total === 0 ? null : Math.round(((ok[hour] ?? 0) / total) * 1_000) / 1_000)),
    }))
    .sort((left, right) => right.failures - left.failures || (left.name < right.name ? -1 : 1))
}

const zeros = (): number[] => Array.from({ length: SPARK_HOURS }, () => 0)
const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)
