import { isSessionAnswer } from './answers.ts'
import type { Core, RefreshResult } from './core.ts'
import { exchange, type Reply } from './exchange.ts'
import { ConfigurationError, unavailable } from './problems.ts'
import { adopt, end, isNewer, left, share, spare } from './session.ts'
import { change, emit, on } from './state.ts'

/** The closed list: no other code and no other status signs anybody out. */
const ENDS = /^session_(missing|expired|signed_out|revoked|reuse_detected)$/

/** Renews the token if it is time, or if its `refused` version is the one we still hold; joins the refresh that is under way. */
export async function refresh(core: Core, refused?: number): Promise<RefreshResult> {
  const own = refused === core.version
  if (core.flying !== undefined) {
    core.blocking ||= own
    return core.flying
  }
  const usable = core.answer && (refused === undefined ? spare(core) > 0 : !own)
  if (usable || core.state.status === 'signed_out') return standing(core)
  return resting(core) ?? launch(core, own)
}

/** Renews it though it is fine, or though nobody was signed in. Only a wait that the server asked for is kept. */
export async function force(core: Core): Promise<RefreshResult> {
  return core.flying ?? ((core.asked && resting(core)) || launch(core, true))
}

/** The last trouble, while nothing is to be tried after it. */
const resting = (core: Core): RefreshResult | undefined => (core.until > core.mono() ? core.trouble : undefined)

function launch(core: Core, blocking: boolean): Promise<RefreshResult> {
  // A refresh that does not help must not become a storm.
  const burst = 10
  const burstMs = 30_000
  const now = core.mono()
  const tenth = core.starts[burst - 1] ?? -burstMs
  if (now - tenth < burstMs) return Promise.resolve(fail(core, 'storm', tenth + burstMs - now))
  core.starts.unshift(now)
  core.starts.splice(burst)
  core.blocking = blocking
  if ((blocking || left(core) <= 0) && core.state.status === 'authenticated') change(core, { status: 'refreshing' })
  // Events start when the lock is given back and this flight is over, so that their handlers may do anything.
  // Counted from here: another tab's token may come while this one still waits for the lock.
  const before = core.version
  core.flying = exclusively(core, (waited) => fly(core, waited, before))
    .catch((cause: unknown) => () => fail(core, cause))
    .then((outcome) => {
      core.flying = undefined
      core.blocking = false
      return outcome()
    })
  return core.flying
}

/** One tab at a time, as far as that can be had. Bearer tabs share nothing that could be spent twice. */
export function exclusively<Value>({ cookie, tabs }: Core, work: (waited: boolean) => Promise<Value>): Promise<Value> {
  return cookie && tabs ? tabs.exclusive(work) : work(false)
}

/** What holds without asking anybody. */
function standing({ answer, state }: Core): RefreshResult {
  return answer ? { kind: 'ok', generation: answer.generation } : { kind: 'rejected', code: state.code ?? '' }
}

async function fly(core: Core, waited: boolean, before: number): Promise<() => RefreshResult> {
  // A connection that breaks this soon is tried once more in the same flight: mostly a network that changes at wake.
  const brokenMs = 5_000
  for (let round = 0; ; round += 1) {
    if (await overtaken(core, before, waited && round === 0)) return () => standing(core)
    const sentAt = core.mono()
    const { epoch, version } = core
    let reply: Reply
    try {
      reply = await ask(core)
    } catch (cause) {
      if (round > 0 || core.mono() - sentAt > brokenMs) return () => fail(core, cause)
      await new Promise<void>((resolve) => core.after(draw(core), resolve))
      continue
    }
    // When somebody signed in or out meanwhile, this answer is of yesterday.
    if (core.epoch !== epoch) continue
    const { status, value } = reply
    if (status === 200 && isSessionAnswer(value) && isNewer(core, value.session.id, value.generation)) {
      // Before the lock is given back, so that the next tab knows.
      share(core, value)
      return () => {
        if (core.epoch === epoch) adopt(core, value, epoch)
        return standing(core)
      }
    }
    return () => settle(core, reply, version)
  }
}

async function ask(core: Core): Promise<Reply> {
  const body = core.session.body()
  if (body !== null) return exchange(core, 'auth/refresh', body)
  const value = await core.inherit?.()
  return { status: value ? 200 : 401, value: value ?? { code: 'session_missing' } }
}

/** I4: what is not granted is rejected by a code of the closed list, or trouble that changes nothing. */
function settle(core: Core, { status, value, retryMs }: Reply, version: number): RefreshResult {
  const code = value?.code ?? ''
  if (status === 401 && ENDS.test(code)) {
    end(core, code, core.epoch, core.cookie && !!core.state.user)
    return standing(core)
  }
  if (status !== 200) return fail(core, value, retryMs)
  // Unchanged only when neither this answer nor another tab brought anything.
  if (core.version !== version) return standing(core)
  emit(core, 'refresh_ineffective', { url: null })
  const detail = 'auth/refresh gave nothing new: a proxy?'
  return fail(core, new ConfigurationError({ code: 'refresh_ineffective', status, action: 'contact_admin', detail }))
}

/** Whether another tab, or a sign-in here, was first. */
async function overtaken(core: Core, version: number, waited: boolean): Promise<boolean> {
  // A stamp this young says that another tab has a newer token, and can be asked for it.
  const recentMs = 10_000
  const askMs = 250
  const stamp = core.tabs?.read()
  const told = stamp && !stamp.out && isNewer(core, stamp.sid, stamp.generation) && core.now() - stamp.at < recentMs
  // What the tab before us said, or wrote down, may still be on its way.
  if (core.version === version && (waited || told)) {
    await new Promise<void>((resolve) => {
      const heard = on(core, '', () => resolve())
      core.after(askMs, () => {
        heard()
        resolve()
      })
      core.tabs?.post({ ask: true })
    })
  }
  return core.version !== version && (!!core.answer || core.state.status === 'signed_out')
}

function draw({ failures, random }: Core): number {
  const minMs = 1_000
  const maxMs = 60_000
  // From half of it on: a pause of nothing would be none.
  return Math.min(maxMs, minMs * 2 ** failures) * (0.5 + random() / 2)
}

/** Notes trouble, and how long to wait. Nobody is signed out by it. */
function fail(core: Core, cause: unknown, serverMs = 0): RefreshResult {
  const { state } = core
  const waitMs = serverMs > 0 ? serverMs : draw(core)
  core.failures += 1
  core.until = core.mono() + waitMs
  core.asked = serverMs > 0
  const retryAt = new Date(core.now() + waitMs)
  if (state.status !== 'signed_out') change(core, { status: globalThis.navigator?.onLine === false ? 'offline' : 'degraded', retryAt })
  if (!state.retryAt) emit(core, 'degraded', { retryAt })
  core.trouble = { kind: 'transient', retryAt, error: cause instanceof ConfigurationError ? cause : unavailable(retryAt, cause) }
  return core.trouble
}
