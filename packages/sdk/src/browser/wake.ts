import { isSessionAnswer, type SessionAnswer } from './answers.ts'
import { nothing } from './clock.ts'
import type { Core } from './core.ts'
import { exchange } from './exchange.ts'
import { force, refresh } from './flight.ts'
import { adopt, end, isNewer, left, move, share, spare } from './session.ts'
import { change, on } from './state.ts'

interface TabMessage {
  readonly ask?: boolean
  readonly answer?: SessionAnswer
  readonly left?: number
  /** The end of the token by the wall clock: a frozen tab is told when it is thawed. */
  readonly until?: number
  readonly out?: string
  readonly sid?: string | false
  readonly epoch?: number
}

/** Learns from a message of another tab, or from the stamp. A message says what is, never "do something", so that it cannot start a storm. */
export function hear(core: Core, data: unknown): void {
  const { ask, answer, left: leftMs = 0, until = Infinity, out, sid, epoch = 0 } = (data ?? {}) as TabMessage
  const later = epoch > core.epoch
  if (ask && core.answer && spare(core) > 0) share(core, core.answer, left(core))
  if (core.cookie && leftMs > 0 && isSessionAnswer(answer)) {
    const same = epoch === core.epoch && core.state.status !== 'signed_out' && isNewer(core, answer.session.id, answer.generation)
    if (later || same) adopt(core, answer, epoch, Math.min(leftMs, until - core.now()))
  }
  if (out && epoch >= core.epoch && (!sid || sid === core.answer?.session.id)) {
    // In bearer mode this tab's own session goes with it.
    const body = core.session.body()
    end(core, out, epoch)
    if (body) exchange(core, 'auth/logout', body).catch(nothing)
  }
  // A stamp of somebody who signed in: what this page holds is not to be used any more.
  if (later && sid && !out) {
    move(core, epoch)
    change(core, { status: 'refreshing' })
  }
}

/**
 * Renews ahead of time while the page is seen; a hidden one is renewed when it is used, or seen again. Whether a token is still good is always computed
 * when it is used: a timer that came late, or never, costs a wait and nothing else.
 */
export function keepAwake(core: Core): void {
  const page = globalThis.document
  if (!page) return
  // A timer may come a little early, and would find that it is not yet time.
  const lateMs = 50
  let cancel = nothing
  const plan = (): void => {
    const { retryAt } = core.state
    cancel()
    if (page.hidden || !(core.answer || retryAt)) return
    cancel = core.after(Math.max(retryAt ? core.until - core.mono() : spare(core), 0) + lateMs, () => void (retryAt ? force(core) : refresh(core)))
  }
  const wake = ({ type, persisted }: Partial<PageTransitionEvent>): void => {
    hear(core, core.tabs?.read())
    // From the cache of the browser's back button a page comes as it was, however long ago.
    const again = persisted || (type === 'online' && core.state.retryAt)
    if (!page.hidden && !/unknown|out/.test(core.state.status)) void (again ? force(core) : refresh(core))
    plan()
  }
  on(core, '', plan)
  const over = new AbortController()
  for (const name of ['visibilitychange', 'focus', 'online', 'pageshow', 'storage']) addEventListener(name, wake, { signal: over.signal })
  core.ends.add(() => {
    over.abort()
    cancel()
  })
}
