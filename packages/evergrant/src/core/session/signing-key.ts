import type { NewEvent } from '../audit/event.ts'
import { CLOCKS_DIFFER_MS, DAY, HOUR, type Instant } from '../time.ts'
import type { PublicSigningKey } from './token-signer.ts'

/**
 * `next` is published and signs nothing yet, `active` signs, `retiring` is published until every token that it signed is over,
 * `retired` is neither published nor able to sign: its private part is erased.
 */
export type SigningKeyState = 'next' | 'active' | 'retiring' | 'retired'

export interface SigningKey extends PublicSigningKey {
  readonly state: SigningKeyState
  /** The private JWK, sealed; null once it is erased. */
  readonly privateKey: Uint8Array | null
  readonly createdAt: Instant
  /** When it came into its state. */
  readonly changedAt: Instant
}

/** The keys that are not retired. Every write of any node moves the version on by one. */
export interface SigningKeyRing {
  readonly version: number
  readonly keys: readonly SigningKey[]
}

export interface RingChange {
  /** The ring that the change was made from. */
  readonly version: number
  /** Inserted, or put in place of the key with the same id. */
  readonly keys: readonly SigningKey[]
  readonly events: readonly NewEvent[]
}

export interface SigningKeyStore {
  read(): Promise<SigningKeyRing>
  /** Compare-and-swap: of all nodes that change one version, one succeeds. Announces `{ kind: 'signing_key' }`. */
  write(change: RingChange): Promise<'written' | 'moved'>
}

/** How long a key signs. */
const ACTIVE_MS = 30 * DAY
/** How long it is published before that at least: longer than anybody keeps a JWKS. */
const PUBLISHED_MS = DAY
/** How long it stays published afterwards. Its last token ends after ten minutes; the rest is for nodes and clocks that lag behind. */
const RETIRING_MS = HOUR
/** A clock that went back by less changes nothing: what it dated is waited for. */
const FAR_AHEAD_MS = DAY + CLOCKS_DIFFER_MS

/** What has to be done with a ring. Empty lists: nothing. */
export interface RingPlan {
  readonly moves: readonly { readonly key: SigningKey; readonly to: SigningKeyState }[]
  readonly missing: readonly ('active' | 'next')[]
}

/**
 * The schedule. Pure: from the same ring every node plans the same. A successor is always published, so that it can take over at once. A key
 * that changed far later than now did so before the clock was set back: its time begins now.
 */
export function planRing({ keys }: SigningKeyRing, at: Instant): RingPlan {
  const isAhead = ({ changedAt }: SigningKey) => changedAt > at + FAR_AHEAD_MS
  const { moves, missing } = planDated(
    keys.map((key) => (isAhead(key) ? { ...key, changedAt: at } : key)),
    at,
  )
  const dated = keys.filter((key) => isAhead(key) && moves.every((move) => move.key.id !== key.id))
  return { moves: [...moves, ...dated.map((key) => ({ key, to: key.state }))], missing }
}

function planDated(keys: readonly SigningKey[], at: Instant): RingPlan {
  const active = keys.find(({ state }) => state === 'active')
  const next = keys.find(({ state }) => state === 'next')
  const over = keys.filter(({ state, changedAt }) => state === 'retiring' && at - changedAt >= RETIRING_MS)
  const retired = over.map((key) => ({ key, to: 'retired' as const }))
  if (active === undefined) return takeOver(retired, next)
  const due = at - active.changedAt >= ACTIVE_MS && next !== undefined && at - next.changedAt >= PUBLISHED_MS
  if (due) return takeOver([...retired, { key: active, to: 'retiring' }], next)
  return { moves: retired, missing: next === undefined ? ['next'] : [] }
}

/** The successor takes over now, whatever the schedule says. `stolen`: whoever has one private key may have them all, so all end at once. */
export function planReplacement({ keys }: SigningKeyRing, stolen: boolean): RingPlan {
  if (stolen) return { moves: keys.map((key) => ({ key, to: 'retired' })), missing: ['active', 'next'] }
  const active = keys.filter(({ state }) => state === 'active')
  return takeOver(
    active.map((key) => ({ key, to: 'retiring' })),
    keys.find(({ state }) => state === 'next'),
  )
}

function takeOver(moves: RingPlan['moves'], next: SigningKey | undefined): RingPlan {
  if (next === undefined) return { moves, missing: ['active', 'next'] }
  return { moves: [...moves, { key: next, to: 'active' }], missing: ['next'] }
}

export function isIdle(plan: RingPlan): boolean {
  return plan.moves.length === 0 && plan.missing.length === 0
}

/** A key of the ring and what the schedule does with it next. */
export interface ScheduledKey extends Pick<SigningKey, 'id' | 'algorithm' | 'createdAt' | 'changedAt'> {
  readonly state: Exclude<SigningKeyState, 'retired'>
  readonly changesAt: Instant | null
  readonly becomes: SigningKeyState
}

/** What {@link planRing} will do, said beforehand: the key that signs first. */
export function scheduleOf({ keys }: SigningKeyRing): readonly ScheduledKey[] {
  const active = keys.find(({ state }) => state === 'active')
  const next = keys.find(({ state }) => state === 'next')
  const takesOverAt = active === undefined || next === undefined ? null : Math.max(active.changedAt + ACTIVE_MS, next.changedAt + PUBLISHED_MS)
  const order: readonly SigningKeyState[] = ['active', 'next', 'retiring']
  return keys
    .flatMap(({ id, algorithm, state, createdAt, changedAt }): ScheduledKey[] => {
      const facts = { id, algorithm, createdAt, changedAt }
      if (state === 'active') return [{ ...facts, state, changesAt: takesOverAt, becomes: 'retiring' }]
      if (state === 'next') return [{ ...facts, state, changesAt: takesOverAt, becomes: 'active' }]
      return state === 'retiring' ? [{ ...facts, state, changesAt: changedAt + RETIRING_MS, becomes: 'retired' }] : []
    })
    .sort((left, right) => order.indexOf(left.state) - order.indexOf(right.state))
}
