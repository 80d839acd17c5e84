import type { SessionAnswer } from './answers.ts'
import type { Core } from './core.ts'
import { START } from './snapshot.ts'
import { change, emit } from './state.ts'

const LEAD_MIN_MS = 30_000
const REMEMBERED = 9

/**
 * Milliseconds that the token still lives. Deadlines are kept on both clocks, and the earlier one counts: the wall clock sees a device that slept, the
 * other one a wall clock that was set. Either costs one refresh too many at most, never a token used past its end.
 */
export const left = (core: Core): number => (core.answer ? Math.min(core.wallEnd - core.now(), core.monoEnd - core.mono()) : 0)

/** Milliseconds until the token should be renewed; not above 0 once it should. */
export const spare = (core: Core): number => left(core) - core.lead

/** A new epoch: somebody signs in or out here. */
export const nextEpoch = (core: Core): number => Math.max(core.epoch + 1, core.now())

export const isNewer = ({ answer }: Core, sid: string, generation: number): boolean => sid !== answer?.session.id || generation > answer.generation

/** A new token, which lives `leftMs` from now: as long as it says, unless it comes from another tab. */
export function adopt(core: Core, answer: SessionAnswer, epoch: number, leftMs = answer.expires_in * 1000): void {
  const before = core.state
  const { user, session, generation } = answer
  const lifeMs = answer.expires_in * 1000
  // Drawn, so that windows side by side do not start in the same instant; at most half the life, or a short-lived token would be renewed for ever.
  core.lead = Math.min((core.refresh?.leadTimeMs ?? Math.max(LEAD_MIN_MS, lifeMs / 10)) * (1 + core.random() / 10), lifeMs / 2)
  core.wallEnd = core.now() + leftMs
  core.monoEnd = core.mono() + leftMs
  core.tokens.unshift(answer.access_token)
  core.tokens.splice(REMEMBERED)
  core.session.keep(answer.refresh_token)
  core.told = false
  move(core, epoch, answer)
  const clockSkewMs = Date.parse(answer.server_time) + lifeMs - core.wallEnd || 0
  change(core, { ...START, status: 'authenticated', user, session, clockSkewMs })
  if (before.user?.id !== user.id) emit(core, 'signed_in', { user })
  emit(core, 'refreshed', { generation })
  if (before.retryAt) emit(core, 'recovered', { generation })
}

/** It is over. `tell` the other tabs: in cookie mode those that share this session, else all. */
export function end(core: Core, code: string, epoch: number, tell?: boolean): void {
  const { user } = core.state
  if (tell) {
    stamp(core, epoch, code)
    core.tabs?.post({ out: code, epoch, sid: core.cookie && core.answer?.session.id })
  }
  core.session.keep(undefined)
  move(core, epoch)
  change(core, { ...START, status: 'signed_out', code })
  if (user) miss(core, code)
}

/** Nobody is signed in where somebody should be: said once. */
export function miss(core: Core, code: string): void {
  if (!core.told) emit(core, 'signed_out', { code })
  core.told = true
}

/** Tells the other tabs what this one holds. Bearer tabs hold nothing that another could use. */
export function share(core: Core, answer: SessionAnswer, leftMs = answer.expires_in * 1000): void {
  const { epoch, cookie } = core
  if (!cookie) return
  stamp(core, epoch, null, answer)
  core.tabs?.post({ answer, epoch, left: leftMs, until: core.now() + leftMs })
}

function stamp(core: Core, epoch: number, out: string | null, answer = core.answer): void {
  core.tabs?.write({ epoch, sid: answer?.session.id ?? '', generation: answer?.generation ?? 0, at: core.now(), out })
}

/** Another token, or none. */
export function move(core: Core, epoch: number, answer?: SessionAnswer): void {
  core.answer = answer
  core.epoch = epoch
  core.version += 1
  // The wait after a failure belongs to one token: another, from wherever, ends it.
  core.failures = 0
  core.until = 0
}
