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
  /** One sentence, fit for `reuse.evidence`. */
  readonly evidence: string
}

/** When a spent token is presented again, in seconds after its first use. Windows are told in round numbers: these lie around them. */
const AGAIN_AT = [1, 5, 15, 35, 65, 130, 310, 620, 1_850] as const
/** Providers that end a spent token when its successor is used may need a moment for it (RingCentral: 10 s). */
const AFTER_USE_SECONDS = 15

type Refused = { readonly kind: 'refused'; readonly why: string }
type Presented = { readonly kind: 'granted'; readonly grant: Granted } | Refused | { readonly kind: 'unclear'; readonly why: string }

/**
 * Learns the reuse class (refresh-protocol 2.2) from a grant that may be lost. `forSeconds`: how long a spent token is tried
 * again at most, unused; a window is never called longer than it was seen.
 */
export async function probeReuse(token: string, forSeconds: number, ports: ProbePorts): Promise<ProbeReport> {
  const first = await present('the refresh token, for the first time', token, ports)
  if (first.kind !== 'granted') return nothing(`The first refresh was refused (${first.why}): it needs a refresh token that nobody has used.`)
  const spentAt = ports.now()
  const next = first.grant.refreshToken
  const again = await present('the same refresh token, a second time', token, ports)
  if (again.kind === 'unclear') return nothing(`The second answer was unclear (${again.why}): try again with another grant.`)
  if (next === null || next === token) return unrotated(first.grant, again, ports)
  if (again.kind === 'refused') return refusedAtOnce(first.grant, next, again, ports)
  return replayed({ token, spentAt, grant: first.grant }, forSeconds, ports)
}

/** The same refresh token, or none, came back. */
async function unrotated(first: Granted, again: Exclude<Presented, { kind: 'unclear' }>, ports: ProbePorts): Promise<ProbeReport> {
  if (again.kind === 'refused') return nothing(`The second use was refused (${again.why}), although the first brought no other refresh token.`)
  // Some providers answer with what they answered before while much is left of it (Strava: an hour).
  if (again.grant.accessToken === first.accessToken) return nothing('Both refreshes brought the same access token: try again when it has nearly ended.')
  const ends = await endsOld(first, ports)
  const evidence = 'Probed: two refreshes brought no new refresh token, and the second use worked like the first.'
  return { class: 'P0', windowSeconds: 0, rotation: 'never', refreshEndsAccessToken: ends, evidence }
}

/** Whether the whole grant went with the second use shows the successor. */
async function refusedAtOnce(first: Granted, next: string, again: Refused, ports: ProbePorts): Promise<ProbeReport> {
  const successor = await present('the refresh token that the first use brought', next, ports)
  const rotated = { windowSeconds: 0, rotation: 'always' } as const
  if (successor.kind === 'unclear') return nothing(`The second use was refused (${again.why}); what became of the successor is unclear (${successor.why}).`)
  if (successor.kind === 'refused') {
    const evidence = `Probed: the second use was refused (${again.why}), and so was its successor after that (${successor.why}): the grant was over.`
    return { ...rotated, class: 'P4', refreshEndsAccessToken: null, evidence }
  }
  const evidence = `Probed: the second use was refused (${again.why}), and its successor went on working.`
  return { ...rotated, class: 'P3', refreshEndsAccessToken: await endsOld(first, ports), evidence }
}

interface Spent {
  readonly token: string
  readonly spentAt: Instant
  readonly grant: Granted
}

/** The second use worked. Time ends that (P1), or the use of what it brought (P2). */
async function replayed({ token, spentAt, grant }: Spent, forSeconds: number, ports: ProbePorts): Promise<ProbeReport> {
  const rotated = { rotation: 'always', refreshEndsAccessToken: null } as const
  let lived = 0
  for (const seconds of AGAIN_AT.filter((one) => one <= forSeconds)) {
    await ports.wait(Math.max(0, spentAt + seconds * SECOND - ports.now()))
    const later = await present(`the spent refresh token, ${seconds} s after its first use`, token, ports)
    if (later.kind === 'unclear') return nothing(`The answer after ${seconds} s was unclear (${later.why}): try again with another grant.`)
    if (later.kind === 'refused') {
      const evidence = `Probed: a spent refresh token worked again after ${lived} s, and was refused after ${seconds} s (${later.why}).`
      return { ...rotated, class: 'P1', windowSeconds: Math.max(1, lived), evidence }
    }
    lived = seconds
  }
  const seen = { ...rotated, class: 'P1', windowSeconds: Math.max(1, lived) } as const
  const used = await ports.use(grant.accessToken)
  ports.tell(`used the new access token: ${used === null ? 'nobody can tell whether it works' : used ? 'it works' : 'it is refused'}`)
  if (used !== true)
    return { ...seen, evidence: `Probed: a spent refresh token worked again for ${lived} s; longer was not tried, nor the use of its successor.` }
  await ports.wait(AFTER_USE_SECONDS * SECOND)
  const after = await present(`the spent refresh token, ${AFTER_USE_SECONDS} s after the use of what it brought`, token, ports)
  if (after.kind === 'refused') {
    const evidence = `Probed: a spent refresh token worked again for ${lived} s, and was refused once the new access token had been used (${after.why}).`
    return { ...rotated, class: 'P2', windowSeconds: 0, evidence }
  }
  return { ...seen, evidence: `Probed: a spent refresh token worked again for ${lived} s, also after the use of its successor; longer was not tried.` }
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
  return { class: null, windowSeconds: 0, rotation: null, refreshEndsAccessToken: null, evidence }
}
