import type { TokenAnswer } from '../../../../evergrant/src/engine.ts'
import type { ConnectionTruth, ServedToken } from '../ledger.ts'
import type { Life } from '../life.ts'
import type { OracleParts } from './oracle-parts.ts'

export interface Served {
  readonly connection: ConnectionTruth
  /** When the caller asked. */
  readonly askedAt: number
  readonly rejectedGeneration: number | null
}

/** Another node may be this much behind; a node without its database for as long as it is told to go on from memory. */
const ACROSS_NODES_MS = 1_100
const FROM_MEMORY_MS = 60_000

/** I2, I4, I13, I19 and plain validity, at the instant at which a caller gets a token. */
export function checkServed(parts: OracleParts, life: Life, { connection, askedAt, rejectedGeneration }: Served, answer: TokenAnswer): void {
  const { world, mint } = parts
  const name = `c${connection.index}`
  world.note(answer.generation)
  const token = mint.accessOf(answer.accessToken)
  if (token === undefined) return world.violate('world', `${name} was served a token that no provider ever made`)
  if (token.family.connection !== connection.index) return world.violate('I19', `${name} was served a token of c${token.family.connection}`)
  if (answer.generation > connection.durable) world.violate('I4', `${name}: generation ${answer.generation} was served, ${connection.durable} is durable`)
  if (rejectedGeneration !== null && answer.generation <= rejectedGeneration)
    world.violate('I2', `${name}: rejected generation ${rejectedGeneration} was served again`)
  checkOrder(parts, life, connection, askedAt, { consent: token.family.place, generation: answer.generation, at: world.now })
  const expiredMs = world.now - token.expiresAt
  if (expiredMs > 2 * parts.weather.profile.skewMs + (world.now - askedAt) + 1_000)
    world.violate('valid', `${name} was served a token that ended ${expiredMs} ms ago`)
  const { disconnectedAt } = connection
  if (disconnectedAt !== null && askedAt > disconnectedAt + slackMs(parts))
    world.violate('I13', `${name} was served ${askedAt - disconnectedAt} ms after its disconnect`)
}

/**
 * The numbers of generations are the database's: after it went back and an operator has given up what came later, the next
 * consent counts on from what is left, and its token is newer than one with a higher number that was served before. That the
 * number in the database falls for no other reason is checked where it changes.
 */
function isOlder(one: ServedToken, other: ServedToken): boolean {
  return one.consent < other.consent || (one.consent === other.consent && one.generation < other.generation)
}

function checkOrder({ world, weather }: OracleParts, life: Life, connection: ConnectionTruth, askedAt: number, now: ServedToken): void {
  const { served, servedBy } = connection
  const { generation } = now
  const here = `${life.identity.id}/${life.number}`
  const own = servedBy.get(here)
  if (own !== undefined && isOlder(now, own) && askedAt > own.at && connection.excuse === null)
    world.violate('I2', `${here} served c${connection.index} generation ${own.generation}, and then ${generation}`)
  if (isOlder(now, served) && askedAt > served.at + slackMs({ weather }) && connection.excuse === null)
    world.violate(
      'I2',
      `c${connection.index}: generation ${served.generation} was served ${askedAt - served.at} ms before ${generation} was asked for at ${here}`,
    )
  if (own === undefined || isOlder(own, now)) servedBy.set(here, now)
  if (isOlder(served, now)) connection.served = now
}

/** How far one node may be behind another. */
function slackMs({ weather }: Pick<OracleParts, 'weather'>): number {
  return weather.enabled('m') || weather.enabled('k') || weather.enabled('l') ? FROM_MEMORY_MS + ACROSS_NODES_MS : ACROSS_NODES_MS
}
