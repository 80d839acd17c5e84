import type { Log } from '../core/log.ts'
import type { OpenLine, TokenEndpoint, WireOutcome } from '../core/provider/wire.ts'
import { type Clock, HOUR, type Instant, SECOND } from '../core/time.ts'

const WARN_MS = 5 * SECOND
/** One host is spoken of at most this often. */
const AGAIN_MS = HOUR
const HOSTS_MAX = 1_000

interface WitnessPorts {
  /** The clock that stored instants are on. */
  readonly clock: Clock
  readonly log: Log
}

/**
 * The `Date` header of token answers as a second witness of the time (RFC 9110 section 6.6.1). It decides nothing: a
 * provider's clock may be wrong as well. But a database whose own clock is off has nobody else to tell us.
 */
export function witnessedEndpoint(endpoint: TokenEndpoint, { clock, log }: WitnessPorts): TokenEndpoint {
  const spokenAt = new Map<string, number>()
  const compare = (url: string, sentAt: Instant, outcome: WireOutcome): void => {
    const apart = outcome.kind === 'answered' ? apartMs(outcome.answer.headers.date, sentAt, clock.wall()) : 0
    if (Math.abs(apart) < WARN_MS) return
    const { host } = new URL(url)
    if (clock.mono() - (spokenAt.get(host) ?? Number.NEGATIVE_INFINITY) < AGAIN_MS) return
    if (spokenAt.size >= HOSTS_MAX) spokenAt.clear()
    spokenAt.set(host, clock.mono())
    const direction = apart > 0 ? 'behind' : 'ahead of'
    const advice = 'if several providers say so, check the time synchronisation (NTP) of the database, or of this machine where there is no PostgreSQL'
    log.warn({ host, apart_ms: apart }, `our clock is ${Math.round(Math.abs(apart) / SECOND)} s ${direction} the one of a provider: ${advice}`)
  }
  return {
    open: async (url, options): Promise<OpenLine> => {
      const line = await endpoint.open(url, options)
      return {
        send: async (request, deadlineMs) => {
          const sentAt = clock.wall()
          const outcome = await line.send(request, deadlineMs)
          compare(url, sentAt, outcome)
          return outcome
        },
        close: () => line.close(),
      }
    },
  }
}

/** Provider minus us, as much of it as is certain: the header has whole seconds, and was written some time between sending and receiving. */
function apartMs(header: string | undefined, sentAt: Instant, receivedAt: Instant): number {
  const date = header === undefined ? Number.NaN : Date.parse(header)
  if (Number.isNaN(date)) return 0
  const least = date - receivedAt
  const most = date + SECOND - 1 - sentAt
  return least > 0 ? least : Math.min(0, most)
}
