import { at } from '../http.ts'
import type { Arena, Disruption, Subject } from './arena.ts'
import { canLose, profileOf } from './classes.ts'

/** One presentation of a refresh token, as the provider saw it. Times are wall clock, milliseconds. */
interface SeenPresentation {
  readonly at: number
  readonly generation: number
  readonly decision: string
  readonly overlapping: boolean
}

interface GrantTruth {
  readonly state: 'live' | 'revoked'
  readonly cause: string | null
  readonly presentations: readonly SeenPresentation[]
}

/** What one connection is, by its own account. */
interface Shown {
  readonly status: string
  readonly generation: number
  readonly code: string | null
  readonly intent: string | null
}

export async function truthOf(arena: Arena, grant: string): Promise<GrantTruth> {
  const { body } = await arena.practice.control.get(`/grants/${grant}`)
  const seen = at(body, 'presentations')
  if (!Array.isArray(seen)) throw new Error(`the provider does not know the grant ${grant}`)
  const cause = at(body, 'revoked.cause')
  return {
    state: at(body, 'state') === 'live' ? 'live' : 'revoked',
    cause: typeof cause === 'string' ? cause : null,
    presentations: seen.map((entry: unknown) => ({
      at: Number(at(entry, 'at')),
      generation: Number(at(entry, 'generation')),
      decision: String(at(entry, 'decision')),
      overlapping: at(entry, 'overlapping') === true,
    })),
  }
}

export async function shown(arena: Arena, subject: Subject): Promise<Shown | null> {
  const reply = await arena.first.api.get(`/connections/${subject.connection}`).catch(() => null)
  if (reply?.status !== 200) return null
  const text = (path: string): string | null => {
    const value = at(reply.body, path)
    return typeof value === 'string' ? value : null
  }
  return {
    status: text('status') ?? 'unknown',
    generation: Number(at(reply.body, 'generation')),
    code: text('fault.code'),
    intent: text('fault.evidence.intent'),
  }
}

/**
 * `kept`: the connection is active and the token that it hands out is the newest that the provider issued. `over`: it asks
 * for its owner. `open`: neither yet.
 */
type Standing = 'kept' | 'over' | 'open'

/** How each of these connections stands at this moment. */
export async function standings(arena: Arena, subjects: readonly Subject[]): Promise<readonly Standing[]> {
  const looks = await Promise.all(subjects.map((subject) => look(arena, subject)))
  await arena.ledger.judge()
  return looks.map((seen, index) => {
    const subject = subjects[index]
    if (typeof seen === 'string') return seen
    return subject === undefined ? 'open' : newest(arena, subject, seen.token)
  })
}

async function look(arena: Arena, subject: Subject): Promise<'over' | 'open' | { readonly token: string }> {
  const now = await shown(arena, subject)
  if (now?.status === 'needs_reauth') return 'over'
  if (now?.status !== 'active') return 'open'
  if ((await truthOf(arena, presentGrant(subject))).state !== 'live') return 'open'
  const reply = await arena.first.api.get(`/connections/${subject.connection}/token`).catch(() => null)
  const token = at(reply?.body, 'access_token')
  return reply?.status === 200 && typeof token === 'string' ? { token } : 'open'
}

function newest(arena: Arena, subject: Subject, token: string): Standing {
  const grant = presentGrant(subject)
  const issue = arena.ledger.issueOf(token)
  if (issue === undefined || issue.grant !== grant) return 'open'
  // A reusable refresh token outlives answers that nobody heard.
  if (profileOf(subject.profile).behaves === 'P0') return 'kept'
  return issue.sequence === arena.ledger.newestOf(grant)?.sequence ? 'kept' : 'open'
}

function presentGrant(subject: Subject): string {
  const grant = subject.grants.at(-1)
  if (grant === undefined) throw new Error('the connection has no grant')
  return grant
}

/** How long an answer may be on its way after the provider's commit: our own slack, and the longest drain of table 2.8. */
const SLACK_MS = 5_000
const DRAIN_MS = 75_000

/** Why this connection may say that its grant is over: null when every part of the explanation is there. */
export async function unexplainedEnd(arena: Arena, subject: Subject): Promise<string | null> {
  const now = await shown(arena, subject)
  if (now === null) return 'it cannot be shown'
  if (!canLose(subject.profile)) return `${now.code} at a class that loses nothing`
  if (now.code !== 'refresh_outcome_lost') return `it says ${now.code}`
  if (now.intent === null || !now.intent.startsWith('itn_')) return 'no intent stands as evidence'
  const grant = presentGrant(subject)
  const { presentations } = await truthOf(arena, grant)
  const spent = presentations.findLast(({ decision }) => decision === 'rotated')
  if (spent === undefined) return 'the provider never spent its refresh token'
  await arena.ledger.judge()
  const successor = arena.ledger.newestOf(grant)
  if (successor !== undefined && arena.ledger.newestHandedOut(subject.connection) >= successor.sequence) return 'the lost answer had been handed out'
  if (disruptionsAround(arena, spent.at).length === 0) return 'nothing was disturbed when the provider answered'
  return null
}

function disruptionsAround(arena: Arena, instant: number): readonly Disruption[] {
  const onItsWayMs = SLACK_MS + DRAIN_MS / arena.setting.timeScale
  return arena.disruptions.filter(({ from, to }) => from <= instant + onItsWayMs && to >= instant - onItsWayMs)
}

/** True when this grant was ended by a second presentation that the protocol does not allow. `quarantineMs`: of table 2.8. */
export function endedByUs(truth: GrantTruth, quarantineMs: number): boolean {
  const last = truth.presentations.findLastIndex(({ decision }) => decision === 'refused_reuse')
  if (last < 0) return false
  const reuse = truth.presentations[last]
  const before = truth.presentations.slice(0, last).findLast(({ generation }) => generation === reuse?.generation)
  if (reuse === undefined || before === undefined) return true
  return reuse.overlapping || reuse.at - before.at < quarantineMs
}
