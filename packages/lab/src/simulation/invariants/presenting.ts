import type { ConnectionTruth } from '../ledger.ts'
import { requestLifeMs } from '../profile.ts'
import type { Presentation, Site } from '../provider-truth.ts'
import type { OracleParts } from './oracle-parts.ts'

/** Drain plus quarantine (table 2.8), less what may pass between the intent and the socket, and between two clocks. */
const ORPHAN_WAIT_MS = 135_000
const CLAIM_TO_SEND_MS = 5_000
const CLOCK_SLACK_MS = 1_000
const WINDOW_SLACK_MS = 600

/** I1, I6 and I11, at the instant at which a refresh token leaves a node. Call before it is added to its token's presentations. */
export function checkPresentation(parts: OracleParts, presentation: Presentation, connection: ConnectionTruth, site: Site): void {
  const { world } = parts
  const { token, node } = presentation
  const strict = site.reuse.class === 'P3' || site.reuse.class === 'P4' || site.reuse.class === 'PU'
  for (const earlier of token.presentations) {
    if (!earlier.settled && strict && connection.excuse === null)
      world.violate('I1', `c${connection.index} (${site.reuse.class}): presentation ${earlier.id} of the same token is still on its way`)
    if (!earlier.over && earlier.node === node && earlier.incarnation === presentation.incarnation)
      world.violate('I11', `${node} sends c${connection.index} twice at once`)
  }
  if (connection.disconnectedAt !== null && world.now - connection.disconnectedAt > 20_000)
    world.violate('I13', `c${connection.index} is renewed after its disconnect`)
  checkStale(parts, presentation, connection, site)
  if (connection.excuse !== null) return
  const why = refusedBy(parts, token.presentations, connection, site)
  if (why !== null) world.violate('I6', `c${connection.index} (${site.reuse.class}): ${why}`)
}

/**
 * I20. What only another process was told of, and has not told the database yet, nobody else can know: that is counted, not
 * held against the node (it is the stated limit of a failover that loses acknowledged commits).
 */
function checkStale({ world, distrusted }: OracleParts, { node, token }: Presentation, connection: ConnectionTruth, site: Site): void {
  const { rolledBackFrom, row, grantedTo, index } = connection
  // The token of an older consent is not spent: sending it harms nothing.
  if (rolledBackFrom === null || site.reuse.class === 'P0' || token.usedAt === null) return
  if (!distrusted() && grantedTo !== node) return world.count('stale after a failover, known only elsewhere')
  world.violate(
    'I20',
    `c${index} (${site.reuse.class}): generation ${row.credential.generation} is sent, ${rolledBackFrom} was acknowledged before the database went back`,
  )
}

/** Null when table 2.8 allows another presentation now. */
function refusedBy(parts: OracleParts, earlier: readonly Presentation[], connection: ConnectionTruth, site: Site): string | null {
  const { now } = parts.world
  const { reuse } = site
  if (reuse.class === 'P0' || reuse.class === 'P2') return null
  const lifeMs = requestLifeMs(parts.weather.profile, reuse)
  const open = earlier.find((one) => isOpen(one) && !answeredProbe(one, connection) && !earlier.some((later) => clears(later, one, now, lifeMs)))
  if (open === undefined) return null
  const sinceMs = now - open.sentAt
  const windowOpen = reuse.class === 'P1' && sinceMs + WINDOW_SLACK_MS - CLOCK_SLACK_MS < 0.8 * reuse.windowMs
  if (windowOpen) return null
  if (reuse.neverProbe) return `presentation ${open.id} is open, and this provider is never probed`
  if (open.learned === 'unclear' && reuse.class === 'P3') return null
  if (sinceMs >= ORPHAN_WAIT_MS - CLAIM_TO_SEND_MS - CLOCK_SLACK_MS) return null
  return `presentation ${open.id} is open for ${sinceMs} ms`
}

/**
 * A later presentation was answered with a grant and no new token: the token it was is the newest there is, and what is not on
 * its way any more cannot take it away. A request without an answer may have come between that answer and now: nobody can know
 * (`losses.ts` says the same), and outside its window nothing is won by waiting. The engine asks once more inside.
 */
function clears(later: Presentation, open: Presentation, now: number, lifeMs: number): boolean {
  const gone = open.learned === 'unread' ? open.sentAt + lifeMs <= now : (open.readAt ?? Number.POSITIVE_INFINITY) <= later.sentAt
  return gone && later.sentAt > open.sentAt && later.learned === 'granted' && later.carried === null
}

/** A probe that was answered with an error leaves no request on its way: from there on it is normal back-off. */
function answeredProbe({ learned, intent }: Presentation, { row }: ConnectionTruth): boolean {
  const { suspicion } = row.credential
  return learned === 'unclear' && suspicion !== null && suspicion.intent !== intent
}

/** Nobody who has to act on its outcome knows it. */
function isOpen({ learned, concluded }: Presentation): boolean {
  return learned === 'unread' || learned === 'unclear' || !concluded
}
