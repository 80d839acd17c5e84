import type { Connection } from '../connection/connection.ts'
import { FAULTS } from '../fault/table.ts'
import { type ConnectionId, idPattern } from '../ids.ts'
import type { Seal } from '../seal/seal.ts'
import { type Clock, DAY, type Instant } from '../time.ts'
import { sameSecret } from './random-token.ts'

/**
 * A repair link is a statement, not a stored thing: this connection, broken at this instant, link made on this day. Its
 * MAC covers the organization as well. It works until seven whole days after the day it was made have passed (so at least
 * seven days), and only while the connection is broken by that very fault.
 */
interface RepairLink {
  readonly connection: ConnectionId
  /** The instant of the fault that ended the grant. */
  readonly brokenAt: Instant
  /** Whole days since 1970 (UTC). */
  readonly madeOn: number
  readonly mac: string
}

export const REPAIR_PATH = '/connect/repair/'

const LIFE_DAYS = 7
/** Radix of the numbers in a link. */
const RADIX = 36
const LINK = new RegExp(`^(${idPattern('con').slice(1, -1)})\\.([0-9a-z]{1,10})\\.([0-9a-z]{1,6})\\.([A-Za-z0-9_-]{43})$`)

type Broken = Pick<Connection, 'id' | 'organization' | 'state' | 'fault' | 'account'>

/** True when one sign-in with the stored account repairs the connection. */
export function isRepairable<Candidate extends Broken>(connection: Candidate): connection is Candidate & { readonly fault: NonNullable<Connection['fault']> } {
  const { state, fault, account } = connection
  if (state !== 'needs_reauth' || fault === null || account === null) return false
  const row = FAULTS[fault.code]
  return row.class === 'grant' && row.action === 'reconnect'
}

/** The address that repairs this connection; null where no link can, see {@link isRepairable}. Pure: the same day gives the same link. */
export function repairLink(
  connection: Broken,
  publicUrl: string,
  ports: { readonly seal: Pick<Seal, 'mac'>; readonly clock: Pick<Clock, 'wall'> },
): string | null {
  if (!isRepairable(connection)) return null
  const statement = { connection: connection.id, brokenAt: connection.fault.at, madeOn: dayOf(ports.clock.wall()) }
  const { brokenAt, madeOn } = statement
  const mac = macOf(connection.organization, statement, ports.seal)
  return `${publicUrl}${REPAIR_PATH}${connection.id}.${brokenAt.toString(RADIX)}.${madeOn.toString(RADIX)}.${mac}`
}

/** What a link states; null when it has another shape. Nothing of it is proven yet. */
export function readRepairLink(text: string): RepairLink | null {
  const [, connection, brokenAt, madeOn, mac] = LINK.exec(text) ?? []
  if (connection === undefined || brokenAt === undefined || madeOn === undefined || mac === undefined) return null
  if (!isConnectionId(connection)) return null
  return { connection, brokenAt: Number.parseInt(brokenAt, RADIX), madeOn: Number.parseInt(madeOn, RADIX), mac }
}

/** The last instant at which a link that is made now works. */
export function linkEnd(now: Instant): Instant {
  return (dayOf(now) + LIFE_DAYS + 1) * DAY - 1
}

/** We made this link, for this organization, and it is not too old. Says nothing of the connection's state. */
export function isGenuine(link: RepairLink, organization: string, ports: { readonly seal: Pick<Seal, 'mac'>; readonly clock: Pick<Clock, 'wall'> }): boolean {
  const age = dayOf(ports.clock.wall()) - link.madeOn
  // One day ahead is another node whose clock passed midnight first.
  return age >= -1 && age <= LIFE_DAYS && sameSecret(macOf(organization, link, ports.seal), link.mac)
}

/**
 * The token of the connect session that a repair link opens. Derived, so that one broken connection has one such session
 * a day, however often its button is pressed.
 */
export function repairSessionToken(
  connection: Pick<Broken, 'id' | 'organization'>,
  brokenAt: Instant,
  ports: { readonly seal: Pick<Seal, 'mac'>; readonly clock: Pick<Clock, 'wall'> },
): string {
  return ports.seal.mac('repair session', `${connection.organization}.${connection.id}.${brokenAt}.${dayOf(ports.clock.wall())}`)
}

function macOf(organization: string, { connection, brokenAt, madeOn }: Omit<RepairLink, 'mac'>, seal: Pick<Seal, 'mac'>): string {
  return seal.mac('repair link', `${organization}.${connection}.${brokenAt}.${madeOn}`)
}

function dayOf(instant: Instant): number {
  return Math.floor(instant / DAY)
}

const CONNECTION_ID = new RegExp(idPattern('con'))

function isConnectionId(text: string): text is ConnectionId {
  return CONNECTION_ID.test(text)
}
