import type { Cell } from './play.ts'
import type { Scenario } from './scenario.ts'
import { BODIES } from './scenarios/bodies.ts'
import { FAILURES } from './scenarios/failures.ts'
import { LIFECYCLE } from './scenarios/lifecycle.ts'
import { SINGLE_FLIGHT } from './scenarios/single-flight.ts'
import { TABS } from './scenarios/tabs.ts'
import { TIME } from './scenarios/time.ts'

/** C01 to C75, in order. Numbers that are missing were never given out. */
export const SCENARIOS: readonly Scenario[] = [...SINGLE_FLIGHT, ...FAILURES, ...TIME, ...TABS, ...BODIES, ...LIFECYCLE]

/** Every column of the table. */
export const CELLS: readonly Cell[] = (['node', 'chromium'] as const).flatMap((host) =>
  (['string', 'request', 'axios'] as const).flatMap((transport) => (['cookie', 'bearer'] as const).map((mode) => ({ host, transport, mode }))),
)

/** What the canary must fail: it refreshes on every 401, shares no flight, and takes every failure for a sign-out. */
export const CANARY_FAILS: readonly string[] = ['C01', 'C02', 'C07', 'C20', 'C21', 'C22', 'C23', 'C25', 'C28', 'C65', 'C67']
