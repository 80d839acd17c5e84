import { type Instant, SECOND } from '../time.ts'
import type { ReuseClass } from './reuse.ts'
import type { Granted, Verdict } from './verdict.ts'

export interface ProbePorts {
  /** Presents a refresh token once. */
  refresh(token: string): Promise<Verdict>
  /** Whether an access token works at the API; null when nobody can tell. */
  use(accessToken: string): Promise<boolean | null>
  wait(ms: number): Promise<void>
  now(): Instant
  /** What was done, as it happens. Holds no token. */
  tell(step: string): void
}

/** What a provider did with a refresh token that came twice. `class` null: nothing was learnt, and `evidence` says why. */
export interface ProbeReport {
  readonly class: ReuseClass | null
  /** P1: for so long the token surely worked again; the true window may be longer. */
  readonly windowSeconds: number
  readonly rotation: 'never' | 'always' | null
  readonly refreshEndsAccessToken: boolean | null
  /** Whether the whole grant was over after a refused second use; null when nothing was refused, or nobody could tell. */
  readonly reuseEndsGrant: boolean | null
  /** One sentence, fit for `reuse.evidence`. */
  readonly evidence: string
  /** What it could not tell, for people. */
  readonly open: readonly string[]
}

export interface ProbeLimits {
  /** How long a spent token is tried again at most, unused. */
  readonly forSeconds: number
  /** Rounds that only narrow a window are begun while they end within this. */
  readonly patienceSeconds: number
}

/** When a spent token is presented again, in seconds after its first use. Windows are told in round numbers: these lie around them. */
const AGAIN_AT = [1, 5, 15, 35, 65, 130, 310, 620, 1_850] as const
/** Providers that end a spent token when its successor is used may need a moment for it (RingCentral: 10 s). */
const AFTER_USE_SECONDS = 15
const NARROWING_ROUNDS = 3

type Refused = { readonly kind: 'refused'; readonly why: string }
type Presented = { readonly kind: 'granted'; readonly grant: Granted } | Refused | { readonly kind: 'unclear'; readonly why: string }
type Clear = Exclude<Presented, { kind: 'unclear' }>

/**
 * Learns the reuse class (refresh-protocol 2.2) from a grant that may be lost. A window is never called longer than it was seen.
 */
export async function probeReuse(token: string, limits: ProbeLimits, ports: ProbePorts): Promise<ProbeReport> {
  const startedAt = ports.now()
  const first = await present('the refresh token, for the first time', token, ports)
  if (first.kind !== 'granted') return nothing(`The first refresh was refused (${first.why}): it needs a refresh token that nobody has used.`)
  const spentAt = ports.now()
  const next = first.grant.refreshToken
  const again = await present('the same refresh token, a second time', token, ports)
  if (again.kind === 'unclear') return nothing(`The second answer was unclear (${again.why}): try again with another grant.`)
  if (next === null || next === token) return unrotated(first.grant, again, ports)
  if (again.kind === 'refused') return refusedAtOnce(first.grant, next, again, ports)
  return replayed({ token, spentAt, newest: again.grant.refreshToken ?? next, startedAt }, limits, ports)
}

/** The same refresh token, or none, came back. */
async function unrotated(first: Granted, again: Clear, ports: ProbePorts): Promise<ProbeReport> {
  if (again.kind === 'refused') return nothing(`The second use was refused (${again.why}), although the first brought no other refresh token.`)
  // Some providers answer with what they answered before while much is left of it (Strava: an hour).
  if (again.grant.accessToken === first.accessToken)
    return nothing(`Both refreshes brought the same access token${lifeLeft(first, ports)}: try again when it has nearly ended.`)
  const ends = await endsOld(first, ports)
  const evidence = 'Probed: two refreshes brought no new refresh token, and the second use worked like the first.'
  return { class: 'P0', windowSeconds: 0, rotation: 'never', refreshEndsAccessToken: ends, reuseEndsGrant: false, evidence, open: openOn(ends) }
}

function lifeLeft({ accessExpiresAt }: Granted, ports: ProbePorts): string {
  if (accessExpiresAt === null) return ''
  const seconds = Math.floor((accessExpiresAt - ports.now()) / SECOND)
  return `, with ${seconds} s left of it (\`lifetimes.noopAboveSeconds\` is less than that)`
}

/** Whether the whole grant went with the second use shows the successor. */
async function refusedAtOnce(first: Granted, next: string, again: Refused, ports: ProbePorts): Promise<ProbeReport> {
  const successor = await present('the refresh token that the first use brought', next, ports)
  const rotated = { windowSeconds: 0, rotation: 'always' } as const
  if (successor.kind === 'unclear') return nothing(`The second use was refused (${again.why}); what became of the successor is unclear (${successor.why}).`)
  if (successor.kind === 'refused') {
    const evidence = `Probed: the second use was refused (${again.why}), and so was its successor after that (${successor.why}): the grant was over.`
    return { ...rotated, class: 'P4', refreshEndsAccessToken: null, reuseEndsGrant: true, evidence, open: openOn(null) }
  }
  const ends = await endsOld(first, ports)
  const evidence = `Probed: the second use was refused (${again.why}), and its successor went on working.`
  return { ...rotated, class: 'P3', refreshEndsAccessToken: ends, reuseEndsGrant: false, evidence, open: openOn(ends) }
}

interface Spent {
  readonly token: string
  readonly spentAt: Instant
  /** The refresh token that came last. */
  readonly newest: string
  readonly startedAt: Instant
}

const ROTATED = { rotation: 'always', refreshEndsAccessToken: null } as const

/** The second use worked. Time ends that (P1), or the use of what it brought (P2). */
async function replayed(spent: Spent, limits: ProbeLimits, ports: ProbePorts): Promise<ProbeReport> {
  const { token, spentAt } = spent
  let { newest } = spent
  let lived = 0
  for (const seconds of [...AGAIN_AT.filter((one) => one < limits.forSeconds), limits.forSeconds]) {
    await ports.wait(Math.max(0, spentAt + seconds * SECOND - ports.now()))
    const later = await present(`the spent refresh token, ${seconds} s after its first use`, token, ports)
    if (later.kind === 'unclear') return nothing(`The answer after ${seconds} s was unclear (${later.why}): try again with another grant.`)
    if (later.kind === 'refused') return windowEnded({ ...spent, newest }, { lived, refused: seconds, why: later.why }, limits, ports)
    newest = later.grant.refreshToken ?? newest
    lived = seconds
  }
  return outlived(newest, lived, ports)
}

/**
 * The window outlasted the trial, or only the use of a successor ends it. A fresh token tells: used at once, and tried again sooner than
 * unused ones were seen to live, so that time alone cannot be what ended it.
 */
async function outlived(newest: string, lived: number, ports: ProbePorts): Promise<ProbeReport> {
  const beyond = `how long a spent refresh token works beyond ${lived} s`
  const late = 'whether a refused second use ends the grant'
  const seen = { ...ROTATED, class: 'P1', windowSeconds: Math.max(1, lived), reuseEndsGrant: null } as const
  const seconds = Math.min(AFTER_USE_SECONDS, Math.floor((lived * 3) / 4))
  const fresh = await present('the newest refresh token', newest, ports)
  const successor = fresh.kind === 'granted' ? fresh.grant.refreshToken : null
  const used = fresh.kind === 'granted' && successor !== null ? await ports.use(fresh.grant.accessToken) : null
  ports.tell(`used the new access token: ${used === null ? 'nobody can tell whether it works' : used ? 'it works' : 'it is refused'}`)
  if (used !== true || successor === null) {
    const evidence = `Probed: a spent refresh token worked again for ${lived} s; longer was not tried, nor the use of its successor.`
    return { ...seen, evidence, open: openOn(null, beyond, 'whether the use of a new token ends the old one', late) }
  }
  await ports.wait(seconds * SECOND)
  const after = await present(`the spent refresh token, ${seconds} s after the use of what it brought`, newest, ports)
  if (after.kind === 'refused') {
    const { ends } = await survivor(successor, ports)
    const evidence = `Probed: a spent refresh token worked again for ${lived} s, and was refused ${seconds} s after the new access token had been used (${after.why})${fate(ends)}.`
    return { ...ROTATED, class: 'P2', windowSeconds: 0, reuseEndsGrant: ends, evidence, open: openOn(null, ends === null ? late : null) }
  }
  if (after.kind === 'unclear') {
    const evidence = `Probed: a spent refresh token worked again for ${lived} s; the answer after the use of its successor was unclear (${after.why}).`
    return { ...seen, evidence, open: openOn(null, beyond, 'whether the use of a new token ends the old one', late) }
  }
  const evidence = `Probed: a spent refresh token worked again for ${lived} s, also after the use of its successor; longer was not tried.`
  return { ...seen, evidence, open: openOn(null, beyond, late) }
}

interface Bracket {
  /** Seconds after its first use at which a spent token still worked, ... */
  readonly lived: number
  /** ... and at which it did not. */
  readonly refused: number
  readonly why: string
}

async function windowEnded(spent: Spent, bracket: Bracket, limits: ProbeLimits, ports: ProbePorts): Promise<ProbeReport> {
  const { ends, next } = await survivor(spent.newest, ports)
  const { lived, refused, why } = next === null ? bracket : await narrowed(next, spent.startedAt, bracket, limits, ports)
  const evidence = `Probed: a spent refresh token worked again after ${lived} s, and was refused after ${refused} s (${why})${fate(ends)}.`
  const open = openOn(null, ends === null ? 'whether a refused second use ends the grant' : null, `where between ${lived} and ${refused} s the window ends`)
  return { ...ROTATED, class: 'P1', windowSeconds: Math.max(1, lived), reuseEndsGrant: ends, evidence, open }
}

/** After a refusal: is the grant still there? `next`: the refresh token that it goes on with. */
async function survivor(newest: string, ports: ProbePorts): Promise<{ readonly ends: boolean | null; readonly next: string | null }> {
  const presented = await present('the newest refresh token', newest, ports)
  if (presented.kind === 'granted') return { ends: false, next: presented.grant.refreshToken }
  return { ends: presented.kind === 'refused' ? true : null, next: null }
}

/** A grant that lives on gives a new token to spend for each round, tried again in the middle of what is left open. */
async function narrowed(next: string, startedAt: Instant, bracket: Bracket, limits: ProbeLimits, ports: ProbePorts): Promise<Bracket> {
  let { lived, refused } = bracket
  let token: string | null = next
  for (let round = 0; round < NARROWING_ROUNDS && token !== null && refused - lived > Math.max(2, lived / 10); round += 1) {
    const middle = Math.round((lived + refused) / 2)
    if (ports.now() - startedAt + middle * SECOND > limits.patienceSeconds * SECOND) break
    const spent: Presented = await present('the newest refresh token, for the first time', token, ports)
    if (spent.kind !== 'granted' || spent.grant.refreshToken === null) break
    const spentAt = ports.now()
    await ports.wait(Math.max(0, spentAt + middle * SECOND - ports.now()))
    const again: Presented = await present(`it again, ${middle} s later`, token, ports)
    if (again.kind === 'unclear') break
    if (again.kind === 'granted') lived = middle
    else refused = middle
    token = (again.kind === 'granted' ? again.grant.refreshToken : null) ?? spent.grant.refreshToken
  }
  return { ...bracket, lived, refused }
}

function fate(ends: boolean | null): string {
  return ends === null ? '' : ends ? '; the grant was over then' : '; the grant lived on'
}

function openOn(endsAccess: boolean | null, ...more: readonly (string | null)[]): readonly string[] {
  return [
    ...more.filter((one) => one !== null),
    ...(endsAccess === null ? ['whether a refresh ends the access token before it'] : []),
    'what a second use costs other grants of the same person',
  ]
}

async function endsOld(first: Granted, ports: ProbePorts): Promise<boolean | null> {
  const works = await ports.use(first.accessToken)
  ports.tell(`used the access token of the first refresh: ${works === null ? 'nobody can tell whether it works' : works ? 'it works' : 'it is refused'}`)
  return works === null ? null : !works
}

async function present(what: string, token: string, ports: ProbePorts): Promise<Presented> {
  const verdict = await ports.refresh(token)
  const presented = read(verdict)
  const other = presented.kind === 'granted' && presented.grant.refreshToken !== null && presented.grant.refreshToken !== token
  ports.tell(`presented ${what}: ${presented.kind === 'granted' ? `granted, ${other ? 'with a new' : 'without a new'} refresh token` : presented.why}`)
  return presented
}

/** Only an answer that the provider gave about this token refuses it; trouble of any kind proves nothing. */
function read(verdict: Verdict): Presented {
  if (verdict.kind === 'granted') return { kind: 'granted', grant: verdict.grant }
  const { httpStatus, code } = verdict.said
  const said = [code, httpStatus === null ? null : `HTTP ${httpStatus}`].filter((part) => part !== null).join(', ')
  if (verdict.kind === 'dead') return { kind: 'refused', why: said || 'refused' }
  const cause = verdict.kind === 'unknown' || verdict.kind === 'pre_send' ? verdict.cause : verdict.kind
  return { kind: 'unclear', why: [cause, said].filter((part) => part !== '').join(': ') }
}

function nothing(evidence: string): ProbeReport {
  return { class: null, windowSeconds: 0, rotation: null, refreshEndsAccessToken: null, reuseEndsGrant: null, evidence, open: ['what the class is'] }
}
