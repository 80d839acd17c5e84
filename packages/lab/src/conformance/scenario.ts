import { deepStrictEqual, ok, strictEqual } from 'node:assert/strict'
import { type Outcome, outcomeStatus } from './asked.ts'
import type { TabHandle } from './host.ts'
import type { Cell, Play } from './play.ts'

/** One black-box scenario. `does not apply` is a reason, never a blank. */
export interface Scenario {
  /** C01 to C75. */
  readonly id: string
  readonly title: string
  /** Null: it applies. */
  readonly leavesOut?: (cell: Cell) => string | null
  readonly run: (play: Play) => Promise<void>
}

export const data = (count: number): { readonly url: string }[] => Array.from({ length: count }, (_, index) => ({ url: `/app/data?n=${index}` }))

/** Where tabs of one browser share one session and talk to each other. */
export const sharedTabs = ({ host, mode }: Cell): string | null =>
  host === 'node' ? 'Node has no tabs: clients there share nothing but the server' : mode === 'bearer' ? 'every bearer tab has a session of its own' : null

export const onlyChromium =
  (reason: string) =>
  ({ host }: Cell): string | null =>
    host === 'chromium' ? null : reason

/** Counters of a whole scenario: what reached the recorder, by target. */
export function counted(play: Play, expected: Readonly<Partial<Record<'refresh' | 'api' | 'sign-in' | 'sign-out' | 'branch', number>>>): void {
  const found = Object.fromEntries(Object.keys(expected).map((target) => [target, play.recorder.count(target as 'refresh')]))
  deepStrictEqual(found, expected, `requests counted: ${JSON.stringify(found)}, expected ${JSON.stringify(expected)}`)
}

export function answered(outcomes: readonly Outcome[], status: number): void {
  const others = outcomes.filter((outcome) => outcomeStatus(outcome) !== status)
  deepStrictEqual(others, [], `${others.length} of ${outcomes.length} did not end with ${status}`)
}

export function failedWith(outcome: Outcome, name: string): Outcome & { readonly kind: 'error' } {
  if (outcome.kind !== 'error') throw new Error(`expected ${name}, got the answer ${outcome.status}`)
  strictEqual(outcome.name, name, `expected ${name}, got ${JSON.stringify(outcome)}`)
  return outcome
}

export async function stillSignedIn(tab: TabHandle): Promise<void> {
  const status = await tab.status()
  ok(status !== 'signed_out', `the tab was signed out: ${JSON.stringify(await tab.noted())}`)
  strictEqual((await events(tab, 'signed_out')).length, 0)
}

export async function events(tab: TabHandle, event: string) {
  return (await tab.noted()).filter((noted) => noted.event === event)
}
