import type { RequestListener, Server } from 'node:http'
import type { Log } from '../core/log.ts'
import { type Clock, MINUTE } from '../core/time.ts'

// An import of values would make Node load its own fetch as well: a thirtieth of a start, for what a server never uses.
const { createServer } = process.getBuiltinModule('node:http')

export interface SocketLimits {
  /** How long the head of a request may take to arrive, in milliseconds. */
  readonly headMs: number
  /** Connections that one node holds at once; the next one is closed at once. */
  readonly most: number
}

/** Far beyond what a proxy in front keeps open, and below what systems give one process as open files. */
const LIMITS: SocketLimits = { headMs: 30_000, most: 10_000 }
/** Longer than the idle time of common load balancers, so that they never write into a closing connection. Bodies have `BodyTime`. */
const SERVER = { keepAliveTimeout: 72_000, requestTimeout: 0, noDelay: true }
/** Heads are looked at this often; a fifth of their time is soon enough. */
const LOOKS = 5

/** A server that slow and idle clients cannot fill: without the limit, the system's own on open files would also end our way to the database. */
export function limitedServer(
  listener: RequestListener,
  clock: Pick<Clock, 'mono'>,
  { log, sockets = LIMITS }: { readonly log: Log; readonly sockets?: SocketLimits },
): Server {
  const server = createServer({ ...SERVER, headersTimeout: sockets.headMs, connectionsCheckingInterval: sockets.headMs / LOOKS }, listener)
  server.maxConnections = sockets.most
  let told = -Infinity
  server.on('drop', () => {
    const now = clock.mono()
    if (now - told < MINUTE) return
    told = now
    log.warn({ most: sockets.most }, 'more connections than this node holds: new ones are closed until others end')
  })
  return server
}
