import type { FailureCommit, ReuseClass } from '../../../../evergrant/src/engine.ts'
import type { ConnectionTruth } from '../ledger.ts'
import { DELIVERED_TWICE, type Presentation, type RefreshTruth, wouldHonour } from '../provider-truth.ts'
import type { OracleParts } from './oracle-parts.ts'

interface LossCount {
  grants: number
  lost: number
  explained: number
  selfInflicted: number
  falselyDead: number
  unasked: number
}

const NONE: LossCount = { grants: 0, lost: 0, explained: 0, selfInflicted: 0, falselyDead: 0, unasked: 0 }

/** Per reuse class, over one seed. */
class LossBook {
  readonly byClass: Record<ReuseClass, LossCount> = { P0: { ...NONE }, P1: { ...NONE }, P2: { ...NONE }, P3: { ...NONE }, P4: { ...NONE }, PU: { ...NONE } }
}

const BOOKS = new WeakMap<object, LossBook>()

export function lossBookOf(parts: OracleParts): LossBook {
  const known = BOOKS.get(parts.ledger)
  if (known !== undefined) return known
  const book = new LossBook()
  BOOKS.set(parts.ledger, book)
  return book
}

/**
 * Why a provider refuses a token. `over`: the user, the provider or we ended it on purpose. `destroyed`: an answer that
 * carried its successor was destroyed. `unexplained`: neither, so it was our doing.
 */
type Cause =
  | { readonly kind: 'honoured' }
  | { readonly kind: 'over' }
  | { readonly kind: 'unexplained' }
  | { readonly kind: 'destroyed'; readonly presentations: readonly Presentation[] }

function causeOf(token: RefreshTruth, now: number): Cause {
  if (wouldHonour(token, now)) return { kind: 'honoured' }
  const { end } = token.family
  if (end !== null && end.reason !== 'reuse' && end.reason !== 'sibling') return { kind: 'over' }
  if (end?.by?.destroyed === DELIVERED_TWICE) return { kind: 'destroyed', presentations: [end.by] }
  const destroyed = token.presentations.filter(isDestroyed)
  if (destroyed.length > 0) return { kind: 'destroyed', presentations: destroyed }
  // Whoever used the old token again was told by a database that went back in time that it is the newest.
  if (end?.reason === 'sibling' && end.by?.misled === true) return { kind: 'over' }
  const killer = end?.by?.token
  if (end?.reason === 'sibling' && killer !== undefined && killer !== token) return causeOf(killer, now)
  return { kind: 'unexplained' }
}

/** Also while it is still on its way to a socket that nobody reads any more. */
function isDestroyed({ destroyed, over, abandoned, learned, carried }: Presentation): boolean {
  return destroyed !== null || ((over || abandoned) && learned === 'unread' && carried !== null)
}

/** I3 and I5, at the instant at which the database says `needs_reauth`. */
export function checkEnd(parts: OracleParts, connection: ConnectionTruth, commit: FailureCommit, presentation: Presentation | null): void {
  const { world } = parts
  const { stored, index } = connection
  if (stored === null || connection.excuse !== null) return
  const cause = causeOf(stored, world.now)
  const mistaken = presentation?.effect === 'mistaken_death' || stored.presentations.some((one) => one.effect === 'mistaken_death')
  switch (cause.kind) {
    case 'honoured':
      if (mistaken) world.count('marked by a mistake of the provider')
      else if (commit.fault.code !== 'refresh_outcome_lost' || !stored.family.site.reuse.neverProbe)
        world.violate('I3', `c${index} needs reauth (${commit.fault.code}), and the provider would honour its token`)
      return
    case 'over':
      return
    case 'unexplained':
      world.violate('I5', `c${index} (${stored.family.site.reuse.class}) is lost, and no answer was destroyed (${commit.fault.code})`)
      return
    case 'destroyed':
      if (!named(parts, connection, cause.presentations))
        world.violate(
          'I5',
          `c${index} (${stored.family.site.reuse.class}) was lost in flight, but reads ${commit.fault.code} with ${commit.fault.evidence.intent}`,
        )
  }
}

function named({ ledger }: OracleParts, connection: ConnectionTruth, presentations: readonly Presentation[]): boolean {
  const { fault, state } = connection.row.connection
  const { suspicion } = connection.row.credential
  if (presentations.some((one) => one.destroyed === DELIVERED_TWICE)) return true
  // A later answer kept the token: nobody can know that an earlier request would still change it.
  const [first] = presentations
  if (first?.token.presentations.some((one) => one.id > first.id && one.learned === 'granted' && one.effect === 'none')) return true
  const intent = state === 'needs_reauth' && fault?.code === 'refresh_outcome_lost' ? fault.evidence.intent : (suspicion?.intent ?? null)
  return intent !== null && ledger.intended(intent, connection.id, connection.row.credential.generation)
}

/** Given up, and not taken back until its owner granted again or the seed ended, although the provider would honour it. */
function bookFalseEnd({ row: { connection }, site, excuse }: ConnectionTruth, count: LossCount): void {
  if (connection.state !== 'needs_reauth' || excuse !== null) return
  if (site.reuse.neverProbe && connection.fault?.code === 'refresh_outcome_lost') count.unasked += 1
  else count.falselyDead += 1
}

/** Books one consent at its end. */
export function lossOf(parts: OracleParts, connection: ConnectionTruth): void {
  const { stored } = connection
  if (stored === null) return
  const count = lossBookOf(parts).byClass[stored.family.site.reuse.class]
  count.grants += 1
  const cause = causeOf(stored, parts.world.now)
  if (cause.kind === 'honoured') return bookFalseEnd(connection, count)
  if (cause.kind === 'over') return
  if (stored.presentations.some((one) => !one.concluded && one.destroyed === null && !one.abandoned)) return
  count.lost += 1
  if (connection.excuse !== null) {
    count.explained += 1
    return
  }
  if (cause.kind === 'unexplained') {
    count.selfInflicted += 1
    parts.world.violate('I5', `c${connection.index} (${stored.family.site.reuse.class}) is lost at the end, and no answer was destroyed`)
  } else if (named(parts, connection, cause.presentations)) count.explained += 1
}
