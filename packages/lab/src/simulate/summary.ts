import type { ReuseClass } from '../../../evergrant/src/engine.ts'
import type { ClassLosses, SeedReport } from '../simulation/seed-report.ts'

const YEAR_MS = 365.25 * 24 * 3_600_000
const CLASSES: readonly ReuseClass[] = ['P0', 'P1', 'P2', 'P3', 'P4', 'PU']
const NO_LOSSES: ClassLosses = { grants: 0, lost: 0, explained: 0, selfInflicted: 0, falselyDead: 0, unasked: 0 }

export interface FailedSeed {
  readonly seed: number
  readonly mask: string
  readonly invariant: string
  readonly text: string
}

/** Many seeds in one value that can be added to another. */
export interface Summary {
  readonly seeds: number
  readonly events: number
  readonly fewestEvents: number
  readonly simulatedMs: number
  readonly grantMs: number
  readonly refreshes: number
  readonly presentations: number
  readonly asked: number
  readonly served: number
  readonly violations: number
  readonly failed: readonly FailedSeed[]
  readonly losses: Readonly<Record<ReuseClass, ClassLosses>>
  readonly counts: Readonly<Record<string, number>>
}

export const NOTHING: Summary = {
  seeds: 0,
  events: 0,
  fewestEvents: Number.MAX_SAFE_INTEGER,
  simulatedMs: 0,
  grantMs: 0,
  refreshes: 0,
  presentations: 0,
  asked: 0,
  served: 0,
  violations: 0,
  failed: [],
  losses: { P0: NO_LOSSES, P1: NO_LOSSES, P2: NO_LOSSES, P3: NO_LOSSES, P4: NO_LOSSES, PU: NO_LOSSES },
  counts: {},
}

export function summaryOf(report: SeedReport): Summary {
  const [first] = report.violations
  return {
    ...report,
    seeds: 1,
    fewestEvents: report.events,
    violations: report.violations.length,
    failed: first === undefined ? [] : [{ seed: report.seed, mask: report.mask, invariant: first.invariant, text: first.text }],
  }
}

export function plus(left: Summary, right: Summary): Summary {
  return {
    seeds: left.seeds + right.seeds,
    events: left.events + right.events,
    fewestEvents: Math.min(left.fewestEvents, right.fewestEvents),
    simulatedMs: left.simulatedMs + right.simulatedMs,
    grantMs: left.grantMs + right.grantMs,
    refreshes: left.refreshes + right.refreshes,
    presentations: left.presentations + right.presentations,
    asked: left.asked + right.asked,
    served: left.served + right.served,
    violations: left.violations + right.violations,
    failed: [...left.failed, ...right.failed],
    losses: perClass((reuse) => addLosses(left.losses[reuse], right.losses[reuse])),
    counts: addCounts(left.counts, right.counts),
  }
}

function perClass<Value>(value: (reuse: ReuseClass) => Value): Record<ReuseClass, Value> {
  return { P0: value('P0'), P1: value('P1'), P2: value('P2'), P3: value('P3'), P4: value('P4'), PU: value('PU') }
}

function addLosses(left: ClassLosses, right: ClassLosses): ClassLosses {
  return {
    grants: left.grants + right.grants,
    lost: left.lost + right.lost,
    explained: left.explained + right.explained,
    selfInflicted: left.selfInflicted + right.selfInflicted,
    falselyDead: left.falselyDead + right.falselyDead,
    unasked: left.unasked + right.unasked,
  }
}

function addCounts(left: Readonly<Record<string, number>>, right: Readonly<Record<string, number>>): Record<string, number> {
  const sum: Record<string, number> = { ...left }
  for (const [name, count] of Object.entries(right)) sum[name] = (sum[name] ?? 0) + count
  return sum
}

export function totalLosses(summary: Summary): ClassLosses {
  return CLASSES.map((reuse) => summary.losses[reuse]).reduce(addLosses)
}

export function grantYears(summary: Summary): number {
  return Math.round((summary.grantMs / YEAR_MS) * 100) / 100
}

/** One row per reuse class, ours beside the plain lock's. */
export function comparisonTable(ours: Summary, plain: Summary): string {
  const rows = CLASSES.map((reuse) => row(reuse, ours.losses[reuse], plain.losses[reuse]))
  return [
    '| reuse class | grants | lost, protocol | of these by its own doing | lost, plain lock | by its own doing | called dead by mistake, protocol | plain lock | ended unasked, protocol | plain lock |',
    '|---|---|---|---|---|---|---|---|---|---|',
    ...rows,
    row('all', totalLosses(ours), totalLosses(plain)),
  ].join('\n')
}

function row(name: string, ours: ClassLosses, plain: ClassLosses): string {
  const cells = [
    name,
    ours.grants,
    ours.lost,
    ours.selfInflicted,
    plain.lost,
    plain.selfInflicted,
    ours.falselyDead,
    plain.falselyDead,
    ours.unasked,
    plain.unasked,
  ]
  return `| ${cells.join(' | ')} |`
}
