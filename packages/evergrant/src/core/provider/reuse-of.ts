import type { IntegrationSettings } from '../connection/integration.ts'
import { Fault } from '../fault/fault.ts'
import { SECOND } from '../time.ts'
import { isMachineGrant } from './grant-kind.ts'
import type { ProviderRecord } from './record.ts'
import type { Reuse, ReuseClass } from './reuse.ts'

const OVERRIDE = /^(?:(P0|P2|P3|P4)|P1:([0-9]{1,6}))$/

/**
 * A third of the window is left to wait for an answer, and a fifth is kept in reserve: below this, a second presentation
 * inside the window cannot be relied on, and the provider is treated as one without.
 */
const SHORTEST_WINDOW_MS = 6 * SECOND

function windowed(seconds: number, neverProbe: boolean): Reuse {
  const windowMs = seconds * SECOND
  return windowMs < SHORTEST_WINDOW_MS ? { class: 'P4', windowMs: 0, neverProbe } : { class: 'P1', windowMs, neverProbe }
}

/**
 * The reuse class that holds for an integration: the operator's knowledge of the tenant, else the record's. A class that lets a token
 * be presented twice and that nobody has verified is PU: a wrong guess there costs grants. Credentials of a grant without a browser
 * may be presented as often as one likes.
 */
export function reuseOf(
  record: Pick<ProviderRecord, 'reuse'> & Partial<Pick<ProviderRecord, 'grant' | 'unverified'>>,
  settings: Pick<IntegrationSettings, 'reuse'>,
): Reuse {
  const { neverProbe } = record.reuse
  if (record.grant !== undefined && isMachineGrant(record.grant)) return { class: 'P0', windowMs: 0, neverProbe: false, credentials: true }
  if (settings.reuse !== null) return parseReuse(settings.reuse, neverProbe)
  if (isLax(record.reuse.class) && isUnverified(record.unverified ?? [])) return { class: 'PU', windowMs: 0, neverProbe }
  if (record.reuse.class === 'P1') return windowed(record.reuse.windowSeconds, neverProbe)
  return { class: record.reuse.class, windowMs: 0, neverProbe }
}

/** The classes that let a refresh token be presented a second time. */
export function isLax(reuse: ReuseClass): boolean {
  return reuse === 'P0' || reuse === 'P1' || reuse === 'P2'
}

function isUnverified(unverified: readonly string[]): boolean {
  return unverified.some((name) => name === 'reuse' || name === 'reuse.class' || name === 'reuse.windowSeconds')
}

/**
 * Reads `P0`, `P1:<seconds>`, `P2`, `P3` or `P4`. A window of less than 6 s is as good as none: P4.
 * @throws Fault `invalid_request` for anything else.
 */
export function parseReuse(text: string, neverProbe = false): Reuse {
  const parts = OVERRIDE.exec(text)
  if (parts === null) {
    throw new Fault('invalid_request', {
      field: '/settings/reuse',
      detail: `settings.reuse must be P0, P1:<seconds>, P2, P3 or P4 (found "${text.slice(0, 40)}"). Example: P1:60`,
    })
  }
  if (parts[2] !== undefined) return windowed(Number(parts[2]), neverProbe)
  return { class: classOf(parts[1]), windowMs: 0, neverProbe }
}

function classOf(name: string | undefined): ReuseClass {
  switch (name) {
    case 'P0':
    case 'P2':
    case 'P3':
    case 'P4':
      return name
    default:
      return 'PU'
  }
}
